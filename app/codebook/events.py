"""What comes back from the codebook browser, taken for what it is: anything at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from app.codebook.view import CodebookView

Kind = Literal["paint", "swap", "drop"]
EDITS = 400
"""The most edits that are kept; the browser refuses more."""


@dataclass(frozen=True)
class Edit:
    """One change of the code maps of the images shown.

    Args:
        kind: ``paint`` cells of one image with a code, ``swap`` two codes in all images, or ``drop`` a code: its cells
            then take the nearest code that is left.
        codes: (code,) for ``paint`` and ``drop``, (one, other) for ``swap``.
        image: the image painted on; None for the other kinds.
        cells: the flat cells painted; empty for the other kinds.
    """

    kind: Kind
    codes: tuple[int, ...]
    image: int | None = None
    cells: tuple[int, ...] = ()


@dataclass(frozen=True)
class CodebookEvent:
    """What the user has done in the browser.

    Args:
        edits: all edits that hold, oldest first.
        number: how many times edits have been sent; 0 before the first.
        kind: what was done last: an edit's kind, ``undo`` or ``reset``.
        image: the image that was shown then.
        pinned: the code that is pinned, with ``report_pin``.
        pinned_image: the image that is pinned, with ``report_pin``.
    """

    edits: tuple[Edit, ...] = ()
    number: int = 0
    kind: str | None = None
    image: int | None = None
    pinned: int | None = None
    pinned_image: int | None = None

    @property
    def dropped(self) -> frozenset[int]:
        """The codes that were dropped."""
        return frozenset(edit.codes[0] for edit in self.edits if edit.kind == "drop")


def event_of(result: Mapping[str, object], view: CodebookView, digest: str) -> CodebookEvent:
    """Read the component's values; what does not belong to this view counts as nothing.

    Args:
        result: ``edit`` {digest, n, kind, image, edits} and ``pin`` {digest, code, image}, as the browser sent them.
        view: what is shown.
        digest: the word by which the browser names it.
    """
    pin, sent = _of(result.get("pin"), digest), _of(result.get("edit"), digest)
    code, image = (_index(pin.get(name), count) for name, count in (("code", view.codes), ("image", len(view.images))))
    number, edits = _index(sent.get("n"), 2**53), edits_of(sent.get("edits"), view)
    kind, at = sent.get("kind"), _index(sent.get("image"), len(view.images))
    if not number or edits is None or kind not in ("paint", "swap", "drop", "undo", "reset"):
        return CodebookEvent(pinned=code, pinned_image=image)
    return CodebookEvent(edits, number, str(kind), at, code, image)


def edits_of(sent: object, view: CodebookView) -> tuple[Edit, ...] | None:
    """A list of edits from the browser, or None when any of them is none, or uses a code that was dropped before."""
    if not isinstance(sent, list) or len(sent) > EDITS:
        return None
    edits: list[Edit] = []
    dropped: set[int] = set()
    for entry in sent:
        edit = _edit(entry, view)
        if edit is None or not dropped.isdisjoint(edit.codes):
            return None
        if edit.kind == "drop":
            dropped.add(edit.codes[0])
        edits.append(edit)
    return tuple(edits) if len(dropped) < view.codes else None


def _edit(sent: object, view: CodebookView) -> Edit | None:
    if not isinstance(sent, Mapping):
        return None
    h, w = view.grid
    codes, cells = _indices(sent.get("codes"), view.codes, 2), _indices(sent.get("cells", []), h * w, h * w)
    image = _index(sent.get("image"), len(view.images))
    match sent.get("kind"), codes, cells:
        case "paint", (_,), (_, *_) if image is not None:
            return Edit("paint", codes, image, cells)
        case "swap", (one, other), () if one != other:
            return Edit("swap", codes)
        case "drop", (_,), ():
            return Edit("drop", codes)
    return None


def _of(sent: object, digest: str) -> Mapping[str, object]:
    return sent if isinstance(sent, Mapping) and sent.get("digest") == digest else {}


def _indices(sent: object, count: int, most: int) -> tuple[int, ...] | None:
    if not isinstance(sent, list) or len(sent) > most:
        return None
    known = [_index(value, count) for value in sent]
    if None in known or len(set(known)) < len(known):
        return None
    return tuple(value for value in known if value is not None)


def _index(value: object, count: int) -> int | None:
    return value if type(value) is int and 0 <= value < count else None
