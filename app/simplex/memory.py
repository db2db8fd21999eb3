"""Who has the last word on τ and π: the page's arguments or the user's hand."""

from __future__ import annotations

from dataclasses import dataclass

from app.simplex.events import SimplexEvent


@dataclass
class Memory:
    """What a stage's page has asked for and was told, from one rerun to the next.

    Args:
        asked: the arguments at the last rerun.
        told: what was returned then.
        since: the number of the user's last event when the page asked for something new.
        revision: how many times it has done so; the browser takes arguments over when this grows.
    """

    asked: SimplexEvent
    told: SimplexEvent
    since: int = 0
    revision: int = 0

    def resolve(self, asked: SimplexEvent, event: SimplexEvent | None) -> SimplexEvent:
        """The later of the two: what the page asks for, or what the user has set.

        A page that hands back what it was told asks for nothing new, even when the user has moved on since.

        Args:
            asked: the arguments now.
            event: what the browser has sent last.

        Example:
            >>> start, hot = SimplexEvent((0.6, 0.3, 0.1), 1.0), SimplexEvent((0.6, 0.3, 0.1), 5.0, number=1)
            >>> memory = Memory(start, start)
            >>> memory.resolve(start, hot).tau, memory.resolve(SimplexEvent(start.pi, 0.5), hot).tau
            (5.0, 0.5)
        """
        number = event.number if event else 0
        self.since = min(self.since, number)  # a stage that is new in the browser counts from 1 again
        if not asked.same(self.asked):
            if not asked.same(self.told):
                self.since, self.revision = number, self.revision + 1
            self.asked = asked
        self.told = event if event and number > self.since else self.asked
        return self.told
