"""What comes back from a board in the browser, taken for what it is: anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.vqvae2.board.view import Board


@dataclass(frozen=True)
class BoardEvent:
    """What the user has done.

    Args:
        item: the item chosen, or None.
    """

    item: int | None = None


def event_of(result: Mapping[str, object], board: Board, digest: str) -> BoardEvent:
    """Read the component's values; what does not belong to this board counts as nothing.

    Args:
        result: ``item`` {digest, index}, as the browser sent it.
        board: what is shown.
        digest: the word by which the browser names it.
    """
    sent = result.get("item")
    if not isinstance(sent, Mapping) or sent.get("digest") != digest:
        return BoardEvent()
    index = sent.get("index")
    return BoardEvent(index) if type(index) is int and 0 <= index < board.items else BoardEvent()
