"""All targets by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from dgm_core.data import curves, mixtures, pictures
from dgm_core.data.pictures import image_target
from dgm_core.data.points import points_target
from dgm_core.data.target import EXTENT, Target
from dgm_core.data.words import word_target

__all__ = ["EXTENT", "TARGETS", "Target", "image_target", "points_target", "word_target"]

_MAKERS: Mapping[str, Callable[[], Target]] = MappingProxyType({
    "8gaussians": mixtures.eight_gaussians,
    "25gaussians": mixtures.twenty_five_gaussians,
    "moons": curves.moons,
    "circles": mixtures.circles,
    "rings": mixtures.rings,
    "checkerboard": pictures.checkerboard,
    "pinwheel": mixtures.pinwheel,
    "2spirals": curves.two_spirals,
    "swissroll": curves.swiss_roll,
    "photo-china": lambda: pictures.photo_target("china", "Photo: temple"),
    "photo-flower": lambda: pictures.photo_target("flower", "Photo: flower"),
})  # fmt: skip


class Registry(Mapping[str, Target]):
    """Targets by name; each is made when it is first asked for, then kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Target]]) -> None:
        self._makers, self._made = makers, dict[str, Target]()

    def __getitem__(self, name: str) -> Target:
        if name not in self._made:
            made = self._makers[name]()
            # Two threads may both have made it; all get the one that was stored first, with its cached entropy.
            self._made.setdefault(name, made)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        # Mapping's own would make the target.
        return name in self._makers


TARGETS: Mapping[str, Target] = Registry(_MAKERS)
"""The named targets, in the order in which menus list them."""
