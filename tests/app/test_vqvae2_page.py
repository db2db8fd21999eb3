"""The page vqvae2 without a browser: its boards hold what they say, every part runs, whatever the address says."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.figures.montage import tiles
from app.figures.vqvae2 import against_temperature, bits_by_level, levels_curve
from app.trained import Trained, metrics
from app.vqvae2.board import Board, Cell
from app.vqvae2.board.events import event_of
from app.vqvae2.board.payload import encode, message
from app.vqvae2.boards import levels_board, mix_board
from app.vqvae2.colours import _srgb, code_colours
from app.vqvae2.diversity import _curve, curves_csv
from app.vqvae2.mix import mix_code
from app.vqvae2.models import images_through
from app.vqvae2.own_pictures import fitted, read
from app.vqvae2.pipeline import Drawn, Encoded, pipeline_board
from app.vqvae2.prior import bits_rows, last_figures
from app.vqvae2.take_home import codes_npz, levels_code, prior_code
from dgm_core import zoo
from dgm_core.pack import unpack
from dgm_core.presets import Preset
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.presets import LEVELS, MIX
from dgm_core.vqvae2.prior_presets import DIVERSITY, PRIORS
from tests.app.test_pages import no_failure, opened


def random_images(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def test_colours_follow_the_vectors() -> None:
    """Codes on a line become lighter along it, one way or the other."""
    colours = code_colours(np.arange(32.0)[:, None] * np.ones((1, 4)))
    brightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > 0).all() or (np.diff(brightness) < 0).all()
    assert code_colours(np.zeros((1, 3))).shape == (1, 3)
    assert code_colours(np.full((4, 2), np.nan)).shape == (4, 3)


def test_lab_is_the_standards() -> None:
    """White, black and middle grey of CIE L*a*b* (D65)."""
    lab = np.array([[100.0, 0, 0], [0, 0, 0], [53.585, 0, 0], [53.2408, 80.0925, 67.2032]])
    np.testing.assert_allclose(_srgb(lab), [[255] * 3, [0] * 3, [128] * 3, [255, 0, 0]], atol=1)


def test_the_board_of_levels_holds_the_arrays() -> None:
    images = random_images(5, 3, 8, 8)
    back = [random_images(5, 3, 8, 8) for _ in range(2)]
    maps = [np.arange(5 * 4).reshape(5, 2, 2) % 6, np.arange(5 * 16).reshape(5, 4, 4) % 7]
    colours = [code_colours(np.eye(6)), code_colours(np.eye(7))]
    psnr = np.arange(10.0).reshape(5, 2)
    board = levels_board(images, back, [*back, back[0]], maps, colours, psnr, np.array([12.0, 40.0]), np.ones(3))
    shown = {cell.title: cell for cell in board.cells}
    np.testing.assert_array_equal(board.pictures[shown["Original"].source], tiles(images))
    np.testing.assert_array_equal(board.pictures[shown["Top + bottom"].source], tiles(back[1]))
    assert shown["Top + bottom"].captions[4] == "9.0 dB · 52 bits"
    assert shown["Top only"].captions[0] == "0.0 dB · 12 bits"
    np.testing.assert_array_equal(board.maps[shown["Bottom codes"].source], maps[1])
    _, arrays = unpack(encode(board).packed)
    np.testing.assert_array_equal(arrays["map1"], maps[1])
    assert encode(board) is encode(board)


@pytest.mark.parametrize("levels", [1, 2, 3])
def test_no_two_cells_of_levels_share_a_place(levels: int) -> None:
    images = random_images(1, 1, 4, 4)
    maps = [np.zeros((1, 1, 1), int)] * levels
    board = levels_board(images, [images] * levels, [images] * (levels + 1), maps, [code_colours(np.eye(2))] * levels,
                         np.zeros((1, levels)), np.ones(levels), np.ones(levels + 1))  # fmt: skip
    places = [(cell.row, cell.column) for cell in board.cells]
    assert len(set(places)) == len(places)


def test_a_mixed_board_crosses_rows_and_columns() -> None:
    rows, columns, mixed = random_images(2, 1, 4, 4), random_images(3, 1, 4, 4), random_images(2, 3, 1, 4, 4)
    board = mix_board(rows, columns, mixed, "top", "bottom")
    at = {(cell.row, cell.column): cell for cell in board.cells}
    assert (0, 0) not in at
    np.testing.assert_array_equal(board.pictures[at[2, 3].source][0], mixed[1, 2, 0])
    np.testing.assert_array_equal(board.pictures[at[2, 0].source][0], rows[1, 0])
    np.testing.assert_array_equal(board.pictures[at[0, 1].source][0], columns[0, 0])
    assert at[2, 3].captions == ("top of A2 with bottom of B3",)


def drawn_by_hand() -> Drawn:
    generator = np.random.default_rng(1)
    maps = (np.array([[3, 1]]), np.array([[0, 1, 2, 3], [4, 0, 1, 2]]))
    tables = tuple(generator.dirichlet(np.ones(5), codes.size) for codes in maps)
    kept = (np.array([True, False]), np.zeros(8, bool))
    return Drawn(maps, tables, kept, np.arange(10), random_images(10, 1, 8, 8))


def test_the_pipeline_grows_code_by_code() -> None:
    """Frame t holds what was given and the first t codes drawn, top before bottom, and the law of the last of them."""
    drawn = drawn_by_hand()
    image = random_images(1, 8, 8)
    encoded = Encoded(image, image, (np.zeros((1, 2), int), np.zeros((2, 4), int)))
    board = pipeline_board(encoded, drawn, [code_colours(np.eye(5))] * 2, ("one", "other"))
    assert board.items == 10
    assert [(board.maps[k][t] >= 0).sum() for t in (0, 1, 9) for k in (2, 3)] == [1, 0, 2, 0, 2, 8]
    assert board.maps[2][0].tolist() == [[3, -1]]
    assert board.maps[3][4].tolist() == [[0, 1, 2, -1], [-1] * 4]
    assert board.now is not None
    assert board.laws is not None
    assert board.now[:3].tolist() == [[-1, -1], [2, 1], [3, 0]]
    for t, (level, cell) in enumerate(drawn.order(), start=1):
        law, code = drawn.probabilities[level][cell], drawn.maps[level].flat[cell]
        at = board.laws.drawn[t]
        assert board.laws.codes[t, at] == code
        assert board.laws.probabilities[t, at] == pytest.approx(law[code])
        assert board.laws.level[t] == level
        assert board.laws.probabilities[t].sum() == pytest.approx(1)


def test_a_board_refuses_what_does_not_belong_together() -> None:
    picture, colours = random_images(3, 4, 4), (code_colours(np.eye(4)),)
    cell = (Cell(0, 0, "picture"),)
    for wrong in (
        {"pictures": ()},
        {"pictures": (picture, random_images(2, 4, 4))},
        {"pictures": (picture, random_images(3, 5, 4))},
        {"pictures": (picture.astype(float),)},
        {"pictures": (picture,), "maps": (np.full((3, 2, 2), 4),), "map_levels": (0,), "colours": colours,
         "levels": ("top",)},
        {"pictures": (picture,), "cells": (Cell(0, 0, "codes"),)},
        {"pictures": (picture,), "cells": (Cell(0, 0, "picture", captions=("a", "b")),)},
        {"pictures": (picture,), "times": np.array([0.0, 0.0, 1.0])},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\w"):
            Board(**{"cells": cell, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sent", [None, 3, {"index": 1}, {"digest": "d", "index": 3}, {"digest": "d", "index": True}, {"digest": "d"}]
)
def test_what_the_browser_sends_is_checked(sent: object) -> None:
    board = Board((Cell(0, 0, "picture"),), (random_images(3, 4, 4),))
    assert event_of({"item": sent}, board, "d").item is None
    assert event_of({"item": {"digest": "d", "index": 2}}, board, "d").item == 2


def test_a_message_may_leave_the_board_out() -> None:
    made = encode(Board((Cell(0, 0, "picture"),), (random_images(3, 4, 4),)))
    assert set(unpack(message(made, {"a": 1}))[1]) == {"board"}
    assert unpack(message(None, {"a": 1})) == ({"a": 1}, {})


def test_own_pictures_fit_any_model() -> None:
    """An area mean of what is constant is that constant; grey is BT.601's; the same picture counts once."""
    red = np.zeros((2, 3, 64, 64), np.uint8)
    red[:, 0] = 200
    assert fitted(red, (3, 32, 32)).shape == (1, 3, 32, 32)
    assert np.unique(fitted(red, (1, 8, 8))).tolist() == [round(0.299 * 200)]
    assert fitted(red, (3, 28, 20)).shape == (1, 3, 28, 20)


def encoded(mode: str, size: tuple[int, int], kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new(mode, size, 200 if mode in ("L", "I;16") else None).save(out, kind)
    return out.getvalue()


def test_own_pictures_of_any_kind_are_read_and_others_are_named() -> None:
    good = [encoded("L", (5, 9)), encoded("RGBA", (1, 1)), encoded("I;16", (30, 20)), encoded("RGB", (90, 40), "GIF")]
    bad = [b"", b"nonsense", encoded("RGB", (8, 8))[:40]]
    images, complaints = read([(f"<{k}>.png", content) for k, content in enumerate([*good, *bad])])
    assert [image.shape for image in images] == [(3, 64, 64)] * 4
    assert len(complaints) == 3
    assert np.unique(images[0]).tolist() == [200]
    assert len(read([("a.png", good[0])] * 9)[0]) == 8


def test_figures_hold_their_numbers() -> None:
    steps = np.arange(1, 4)
    curve = levels_curve(steps, {"top only": steps + 10.0, "top + bottom": steps + 20.0}, total=9)
    np.testing.assert_array_equal(curve.tables["psnr"]["value"], [11, 12, 13, 21, 22, 23])
    assert curve.tables["ends"]["value"].tolist() == [13, 23]
    assert len(levels_curve(np.zeros(0), {"top only": np.zeros(0)}, total=9).tables["psnr"]["value"]) == 0
    bits = bits_by_level(["a", "b"], np.array([[10.0, 30.0], [5.0, 15.0]]), np.array([0.0, 1.0]), ["top", "bottom"])
    assert bits.tables["bars"]["low"].tolist() == [0, 10, 0, 5]
    assert bits.tables["ends"]["text"].tolist() == ["40", "20 ± 1.0"]
    t = np.array([0.5, 1.0])
    metric = against_temperature(
        "recall", t, t, 0.8 * t, 1.2 * t, marks={"real": 0.9, "uniform": 0.1}, chosen=1.0, domain=(0.0, 2.0)
    )
    assert metric.tables["marks"]["value"].tolist() == [0.9, 0.1]
    np.testing.assert_allclose(metric.tables["curve"]["low"], [0.4, 0.8])


@pytest.mark.parametrize("part", ["levels", "mix", "prior", "diversity"])
def test_every_part_opens(part: str) -> None:
    app = opened("vqvae2", {"part": part})
    no_failure(app)
    assert not any("not trained yet" in caption.value for caption in app.caption)


HOSTILE = [
    {"part": "<b>"},
    {"levels": "9"},
    {"patch": "5"},
    {"dataset": "own", "data": "../../etc/passwd"},
    {"dataset": "cifar10"},
    {"dataset": "digits"},
    {"image": "99999", "picture": "../../etc/passwd"},
    {"image": "-1", "vqvae2_view": "x"},
    {"picture": "0" * 16},
    {"part": "mix", "model": "run:../x", "a": "999", "b": "x", "lower": "<i>"},
    {"part": "mix", "mixed": "bottoms", "m_temperature": "nan", "m_seed": "-3"},
    {"part": "mix", "model": "vqvae2-shapes-3", "kept": "7"},
    {"part": "prior", "t_top": "inf", "t_bottom": "-1", "top_k": "1e9", "d_seed": "x", "words": "printed"},
    {"part": "prior", "r_source": "run:../../x", "r_steps": "-4"},
    {"part": "diversity", "t": "0.3", "q_n": "1", "q_embed": "soul"},
]


@pytest.mark.parametrize("query", HOSTILE, ids=lambda query: ",".join(f"{k}={v[:12]}" for k, v in query.items()))
def test_a_hostile_address_opens_the_page(query: dict[str, str]) -> None:
    app = opened("vqvae2", query)
    no_failure(app)
    assert app.title


PREDICTED = [("mix", MIX), ("prior", PRIORS), ("diversity", DIVERSITY)]


@pytest.mark.parametrize(
    ("part", "preset"), [(part, preset) for part, presets in PREDICTED for preset in presets],
    ids=lambda value: value if isinstance(value, str) else value.name,
)  # fmt: skip
def test_show_me_turns_the_parts_own_controls(part: str, preset: Preset) -> None:
    """An answer, then Show me: every control that the preset names has its value."""
    app = opened("vqvae2", {"part": part})
    key = f"try_{part}:{preset.name}"
    app.button(key=f"{key}:{preset.answer}").click().run()
    app.button(key=f"{key}:show").click().run()
    no_failure(app)
    held = {"q_embed" if name == "embed" else name: value for name, value in preset.settings.items()}
    assert {name: app.session_state[name] for name in held} == held


@pytest.mark.parametrize("preset", LEVELS, ids=lambda preset: preset.name)
def test_a_prediction_about_levels_is_shown_by_what_is_shipped(preset: Preset) -> None:
    no_failure(opened("vqvae2", VQVAE2(**preset.settings).to_query()))
    stands = [name for name in zoo.names("vqvae2") if isinstance(zoo.experiment(name), VQVAE2)
              and preset.settings.items() <= zoo.experiment(name).model_dump().items()]  # fmt: skip
    assert stands


def test_code_runs_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pasted into a shell: levels, mixtures and drawing."""
    monkeypatch.chdir(tmp_path)
    shapes, law = (Trained("shipped", name, zoo.experiment(name)) for name in ("vqvae2-shapes", "vqvae2-shapes-prior"))
    settings = {"temperatures": (1.0, 0.5), "top_k": 3, "seed": 1}
    for code in (levels_code(shapes), mix_code(shapes, 1), prior_code(law, settings)):
        exec(code, {})
    assert {path.name for path in tmp_path.iterdir()} == {"top-codes.html", "mixed.html"}


def test_the_axes_of_diversity_stand_before_anything_is_measured() -> None:
    empty, one = _curve(None, 1, 1.0), _curve(MEASURED, 1, 1.0)
    assert empty.spec == one.spec
    assert len(empty.tables["curve"]["t"]) == 0
    assert one.tables["curve"]["value"].tolist() == [0.5]
    assert one.tables["marks"]["value"].tolist() == [0.75]


MEASURED = {"x": np.array([1.0]), "reference": np.full((1, 8, 4), 0.75),
            **{name: np.full((1, 4), 0.5) for name in ("values", "low", "high")}}  # fmt: skip


def test_the_bits_chart_adds_up() -> None:
    law = Trained("shipped", "vqvae2-shapes-prior", zoo.experiment("vqvae2-shapes-prior"))
    figures = last_figures(metrics(law))
    rows = {name: bits for name, bits, _ in bits_rows(figures, ("top", "bottom"))}
    assert sum(rows["uniform"]) == pytest.approx(figures["bits_uniform"])
    assert sum(rows["told the levels above"]) == pytest.approx(figures["bits"], rel=1e-6)
    assert rows["each level alone"][1] - rows["told the levels above"][1] == pytest.approx(figures["saved_bottom"])


def test_files_hold_what_is_shown() -> None:
    found = {"x": np.array([0.5, 1.0]), **{name: np.arange(8.0).reshape(2, 4) for name in ("values", "low", "high")}}
    lines = curves_csv(found).decode().splitlines()
    assert lines[0].split(",")[:3] == ["temperature", "precision", "precision_low"]
    assert lines[2].split(",")[:2] == ["1", "4"]
    shown = images_through(Trained("shipped", "vqvae2-digits", zoo.experiment("vqvae2-digits")),
                           random_images(2, 1, 8, 8))  # fmt: skip
    assert not isinstance(shown, str)
    assert shown.own == 2
    arrays = np.load(BytesIO(codes_npz(shown)))
    np.testing.assert_array_equal(arrays["images"][:2], random_images(2, 1, 8, 8))
    np.testing.assert_array_equal(arrays["codes_top"], shown.found.codes[0])
