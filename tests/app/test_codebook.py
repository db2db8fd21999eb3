"""What the codebook browser is told and tells: views, edits and their answers, checked in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.codebook import CodebookEvent, CodebookView, Edit, answer, similarity_order
from app.codebook.edits import apply_edits
from app.codebook.events import EDITS, edits_of, event_of
from app.codebook.payload import encode, message
from dgm_core.pack import unpack
from tests.browser.patch_codes import PatchCodes, digits, patch_codes

SCRIPT = Path(__file__).parents[1] / "browser" / "codebook_script.py"
BOOK: PatchCodes = patch_codes(digits()[:60], 2, 12, shown=20, dead=1)
VIEW: CodebookView = BOOK.view
K, (H, W), B = VIEW.codes, VIEW.grid, len(VIEW.images)
SHOWN = VIEW.maps[:B].astype(np.int64)
NAMES = ["digest", "n", "kind", "image", "edits", "codes", "cells"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["paint", "swap", "drop", "undo", "d"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=7)
    ),
    max_leaves=25,
)  # fmt: skip
CODE = st.integers(0, K - 1)
EDIT = st.one_of(
    st.builds(
        lambda code, image, cells: {"kind": "paint", "codes": [code], "image": image, "cells": cells},
        CODE, st.integers(0, B - 1), st.lists(st.integers(0, H * W - 1), min_size=1, max_size=5, unique=True),
    ),
    st.lists(CODE, min_size=2, max_size=2, unique=True).map(lambda codes: {"kind": "swap", "codes": codes}),
    CODE.map(lambda code: {"kind": "drop", "codes": [code]}),
)  # fmt: skip


def sent(**changes: Any) -> dict[str, Any]:
    paint = {"kind": "paint", "codes": [3], "image": 1, "cells": [0, 5]}
    return {"digest": "d", "n": 2, "kind": "paint", "image": 1, "edits": [paint], **changes}


# Views


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("tiles", VIEW.tiles.astype(np.int32), "uint8"),
        ("tiles", VIEW.tiles[:1], "codes"),
        ("tiles", np.stack([VIEW.tiles] * 3, -1), "RGB"),
        ("usage", VIEW.usage[:-1], "usage"),
        ("usage", VIEW.usage - VIEW.usage.max(), "negative"),
        ("positions", VIEW.positions[:, :1], "positions"),
        ("owner", VIEW.owner + K, "owner"),
        ("owner", VIEW.owner.astype(np.float32), "whole numbers"),
        ("neighbours", np.zeros((K, 9), np.int32), "neighbours"),
        ("neighbours", VIEW.neighbours - 2, "neighbours"),
        ("images", np.concatenate([VIEW.images] * 4), "images"),
        ("images", VIEW.images[:0], "images"),
        ("reconstructions", VIEW.reconstructions[:-1], "reconstructions"),
        ("reconstructions", VIEW.reconstructions.astype(np.float32), "uint8"),
        ("maps", VIEW.maps[: B - 1], "code maps"),
        ("maps", VIEW.maps[:, :3], "divide"),
        ("maps", VIEW.maps + 1, "maps"),
        ("first", VIEW.first[: B - 1], "first"),
        ("second", VIEW.second[:, :1], "second"),
        ("patches", VIEW.patches + VIEW.maps.size, "patches"),
        ("crops", np.zeros((K, 2, 2, 2), np.uint8), "crops"),
        ("steps", None, "together"),
        ("usage_over_training", np.zeros((3, K)), "usage_over_training"),
        ("batch_perplexity", float("nan"), "batch_perplexity"),
        ("similarity", np.zeros(K, int), "similarity"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, value: object, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        replace(VIEW, **{name: value})


def test_colour_is_what_the_images_say() -> None:
    colour = {name: np.stack([getattr(VIEW, name)] * 3, -1) for name in ("tiles", "images", "reconstructions")}
    assert replace(VIEW, **colour).colour
    assert not VIEW.colour


@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 10_000))
def test_the_chain_goes_to_the_nearest_that_is_left(count: int, dimensions: int, seed: int) -> None:
    """Each step against an exhaustive search in float64, to float32's rounding (1e-3 of the squared distance)."""
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions))
    order = similarity_order(vectors)
    assert sorted(order.tolist()) == list(range(count))
    for place in range(1, count):
        apart = ((vectors[order[place:]] - vectors[order[place - 1]]) ** 2).sum(1)
        assert apart[0] <= apart.min() + 1e-3 * (1 + apart[0])


def test_on_a_line_the_chain_is_the_line() -> None:
    values = np.random.default_rng(1).permutation(30).astype(float)[:, None]
    ordered = values[similarity_order(values), 0]
    assert np.abs(np.diff(ordered)).max() == 1


# What comes back


@given(JSON, JSON)
@settings(max_examples=300, deadline=None)
def test_nothing_that_comes_back_breaks_it(edit: object, pin: object) -> None:
    event = event_of({"edit": edit, "pin": pin}, VIEW, "d")
    assert 0 <= event.number < 2**53
    assert event.pinned is None or 0 <= event.pinned < K
    assert (event.number == 0) <= (event.edits == ())


def test_an_event_is_read() -> None:
    event = event_of({"edit": sent(), "pin": {"digest": "d", "code": 4, "image": None}}, VIEW, "d")
    assert event == CodebookEvent((Edit("paint", (3,), 1, (0, 5)),), 2, "paint", 1, 4, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "another view"}, {"n": 0}, {"n": True}, {"n": 1.0}, {"kind": "burn"}, {"edits": None},
        {"edits": [{"kind": "paint", "codes": [K], "image": 0, "cells": [0]}]},
        {"edits": [{"kind": "paint", "codes": [0], "image": B, "cells": [0]}]},
        {"edits": [{"kind": "paint", "codes": [0], "image": 0, "cells": [H * W]}]},
        {"edits": [{"kind": "paint", "codes": [0], "image": 0, "cells": []}]},
        {"edits": [{"kind": "paint", "codes": [0], "image": 0, "cells": [1, 1]}]},
        {"edits": [{"kind": "paint", "codes": [0], "image": None, "cells": [1]}]},
        {"edits": [{"kind": "swap", "codes": [1, 1]}]}, {"edits": [{"kind": "swap", "codes": [1]}]},
        {"edits": [{"kind": "drop", "codes": [1]}, {"kind": "drop", "codes": [1]}]},
        {"edits": [{"kind": "drop", "codes": [1]}, {"kind": "swap", "codes": [0, 1]}]},
        {"edits": [{"kind": "drop", "codes": [k]} for k in range(K)]},
        {"edits": [{"kind": "swap", "codes": [0, 1]}] * (EDITS + 1)},
    ],
)  # fmt: skip
def test_what_is_no_edit_of_this_view_counts_as_nothing(changes: dict[str, Any]) -> None:
    assert event_of({"edit": sent(**changes)}, VIEW, "d") == CodebookEvent()


def test_an_undone_edit_is_an_event_without_it() -> None:
    event = event_of({"edit": sent(kind="undo", edits=[])}, VIEW, "d")
    assert (event.kind, event.edits, event.number) == ("undo", (), 2)


# Edits


def one_by_one(edits: tuple[Edit, ...]) -> np.ndarray:
    """The definition, cell by cell: where a dropped code stood, the nearest of the codes that are left, in float64."""
    maps, left = SHOWN.copy(), [True] * K
    for edit in edits:
        if edit.kind == "drop":
            left[edit.codes[0]] = False
        for image in range(B):
            for cell in range(H * W):
                place = (image, cell // W, cell % W)
                code = maps[place]
                if edit.kind == "paint" and edit.image == image and cell in edit.cells:
                    maps[place] = edit.codes[0]
                elif edit.kind == "swap" and code in edit.codes:
                    maps[place] = edit.codes[1 - edit.codes.index(code)]
                elif edit.kind == "drop" and code == edit.codes[0]:
                    output = BOOK.outputs[image * H * W + cell]
                    apart = [
                        ((output - e) ** 2).sum() if ok else np.inf for e, ok in zip(BOOK.codes, left, strict=True)
                    ]
                    maps[place] = int(np.argmin(apart))
    return maps


@given(st.lists(EDIT, max_size=5))
@settings(max_examples=40, deadline=None)
def test_edits_do_what_they_say(entries: list[dict[str, Any]]) -> None:
    edits = edits_of(entries, VIEW)
    if edits is None:
        return  # a dropped code was used again
    made = apply_edits(VIEW.maps[:B], edits, K, BOOK.reassign)
    expected = one_by_one(edits)
    different = np.argwhere(made != expected)
    for image, row, column in different:  # only where two codes are equally near to float64's rounding
        output = BOOK.outputs[(image * H + row) * W + column]
        gap = [((output - BOOK.codes[m[image, row, column]]) ** 2).sum() for m in (made, expected)]
        assert gap[0] == pytest.approx(gap[1], rel=1e-9, abs=1e-6)
    dropped = {edit.codes[0] for edit in edits if edit.kind == "drop"}
    assert not np.isin(made, sorted(dropped)).any()


def test_the_view_itself_stays_as_it_is() -> None:
    before = VIEW.maps.copy()
    apply_edits(VIEW.maps[:B], [Edit("swap", (0, 1)), Edit("paint", (2,), 0, (0,))], K, BOOK.reassign)
    assert np.array_equal(VIEW.maps, before)


def test_the_answer_holds_the_images_that_differ_decoded() -> None:
    free = int(np.setdiff1d(np.arange(K), SHOWN[4])[0])
    event = CodebookEvent((Edit("paint", (free,), 4, (3, 7)),), 5, "paint", 4)
    made = answer(event, VIEW, BOOK.decode, BOOK.reassign)
    assert made is not None
    assert (made.number, made.images.tolist()) == (5, [4])
    patch = np.rint(BOOK.codes[free]).reshape(2, 2).astype(np.uint8)
    for cell in (3, 7):
        row, column = 2 * (cell // W), 2 * (cell % W)
        assert np.array_equal(made.pictures[0, row : row + 2, column : column + 2], patch)
    assert made.maps[0].ravel()[[3, 7]].tolist() == [free, free]


def test_nothing_edited_is_no_answer_and_everything_undone_an_empty_one() -> None:
    def never(maps: np.ndarray) -> np.ndarray:
        raise AssertionError("nothing needs decoding")

    assert answer(CodebookEvent(), VIEW, never, never) is None
    made = answer(CodebookEvent((), 3, "reset"), VIEW, never, never)
    assert made is not None
    assert len(made.images) == len(made.pictures) == len(made.maps) == 0


# Bytes


def test_what_the_browser_reads_is_the_view() -> None:
    meta, arrays = unpack(encode(VIEW).packed)
    assert meta["set_perplexity"] == VIEW.set_perplexity
    for name in ("tiles", "images", "reconstructions", "usage", "maps", "owner", "patches", "neighbours"):
        assert np.array_equal(arrays[name], getattr(VIEW, name)), name
    assert (arrays["maps"].dtype, arrays["owner"].dtype) == (np.uint16, np.uint16)
    assert np.array_equal(arrays["first"], VIEW.first[:B])
    size = max(np.ptp(np.concatenate([VIEW.positions, VIEW.outputs]), axis=0))
    scaled = (VIEW.positions[:, None] - VIEW.positions[None]) / size
    seen = arrays["positions"].astype(float)
    assert np.abs(seen[:, None] - seen[None] - scaled).max() < 1e-3  # half precision
    assert np.array_equal(arrays["similarity"], similarity_order(VIEW.tiles))


def test_a_view_is_encoded_once_and_known_by_its_bytes() -> None:
    assert encode(VIEW) is encode(VIEW)
    again = replace(VIEW, batch_perplexity=VIEW.batch_perplexity)
    assert encode(again) is not encode(VIEW)
    assert encode(again).digest == encode(VIEW).digest
    assert encode(replace(VIEW, batch_perplexity=1.5)).digest != encode(VIEW).digest


def test_a_message_without_the_book_is_small() -> None:
    made = answer(CodebookEvent((Edit("paint", (3,), 4, (3,)),), 5), VIEW, BOOK.decode, BOOK.reassign)
    short = message(None, {"digest": "d"}, made)
    meta, arrays = unpack(short)
    assert meta["answer"]["edits"] == [{"kind": "paint", "codes": [3], "image": 4, "cells": [3]}]
    assert set(arrays) == {"changed", "changed_maps", "changed_pictures"}
    assert len(short) < 1000 < len(encode(VIEW).packed)
    assert "book" in unpack(message(encode(VIEW), {"digest": "d"}, None))[1]


def test_the_page_answers_what_the_browser_sends() -> None:
    page = AppTest.from_file(str(SCRIPT), default_timeout=60)
    page.query_params["images"] = "60"
    page.run()
    assert not page.exception
    assert '"number": 0' in page.code[0].value
    digest = encode(patch_codes(digits()[:60], 2, 32, dead=2).view).digest
    page.session_state["book"] = {"edit": sent(digest=digest)}
    page.run()
    assert not page.exception
    assert '"number": 2' in page.code[0].value
