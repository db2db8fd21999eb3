"""The manifolds stage on Python's side: what goes over, what comes back, the PNG, and the page around it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.figures.metric_curves import Axis, Curves, density_chart, shares_chart, trade_off
from app.figures.montage import montage
from app.figures.palette import DATA, GROUND, MODEL
from app.figures.precision_recall import interval_chart, map_chart, prd_chart
from app.manifolds import _sent, extent_of
from app.manifolds.events import k_of
from app.precision_recall import curves as curves_part
from app.precision_recall import knob as knob_part
from app.precision_recall import sets as sets_part
from app.precision_recall import takeaway
from app.precision_recall.picture import MARGIN, SIDE, manifolds_png
from dgm_core import zoo
from dgm_core.errors import DataError
from dgm_core.metrics.manifolds import Manifolds, manifolds
from dgm_core.precision_recall import CloudPair, MetricCurves, PairChecks, SetComparison, TradeOff
from dgm_core.precision_recall import curves as curves_module
from dgm_core.precision_recall.presets import CURVES, KNOB, PLANE, SETS
from dgm_core.presets import Preset
from tests.app.test_pages import no_failure, opened


def example(n: int = 60, m: int = 40, k_max: int = 9, seed: int = 0) -> Manifolds:
    random = np.random.default_rng(seed)
    return manifolds(random.normal(size=(n, 2)), random.normal(size=(m, 2)) + 0.5, k_max)


def test_bytes_come_back() -> None:
    made = example()
    back = Manifolds.from_bytes(made.to_bytes())
    for name, array in made.arrays().items():
        np.testing.assert_array_equal(array, getattr(back, name))
    with pytest.raises(ValueError, match="no"):
        Manifolds.from_bytes(b"nonsense")


@pytest.mark.parametrize("k", [1, 4, 9])
def test_covering_numbers_are_the_balls_that_hold(k: int) -> None:
    made = example()
    x, y = made.real.astype(float), made.fake.astype(float)
    between = np.linalg.norm(x[:, None] - y, axis=-1)
    radii_x = np.sort(np.linalg.norm(x[:, None] - x, axis=-1), axis=1)[:, k]
    radii_y = np.sort(np.linalg.norm(y[:, None] - y, axis=-1), axis=1)[:, k]
    np.testing.assert_allclose(made.real_radii[:, k - 1], radii_x, rtol=1e-6)
    np.testing.assert_array_equal(made.fake_at < k, (between <= radii_x[:, None]).any(0))
    np.testing.assert_array_equal(made.real_at < k, (between <= radii_y).any(1))
    np.testing.assert_array_equal(made.reached_at < k, (between <= radii_x[:, None]).any(1))
    assert made.curves[2, k - 1] == pytest.approx((between <= radii_x[:, None]).sum() / (k * len(y)))


def test_printed_radii_reach_the_kth_neighbour_in_the_other_set() -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 2)), random.normal(size=(20, 2))
    made = manifolds(x, y, 5, printed=True)
    between = np.linalg.norm(y.astype(np.float32)[:, None] - x.astype(np.float32), axis=-1)
    np.testing.assert_allclose(made.fake_radii[:, 2], np.sort(between, axis=1)[:, 2], rtol=1e-5)
    assert made.curves.min() == made.curves.max() == 1


def test_only_the_plane_is_shown() -> None:
    with pytest.raises(DataError, match="in the plane"):
        manifolds(np.zeros((9, 3)), np.zeros((9, 3)))
    with pytest.raises(DataError, match="neighbours"):
        manifolds(np.zeros((1, 2)), np.zeros((9, 2)))


def test_k_is_taken_down_to_the_smaller_set() -> None:
    assert example(n=5, m=40, k_max=50).k_max == 4


def test_the_extent_holds_all_points() -> None:
    made = example()
    left, right, bottom, top = extent_of(made)
    points = np.concatenate([made.real, made.fake])
    assert (points > [left, bottom]).all()
    assert (points < [right, top]).all()


def test_many_radii_go_over_in_half_precision() -> None:
    random = np.random.default_rng(0)
    made = manifolds(random.normal(size=(5001, 2)), random.normal(size=(30, 2)), 3)
    sent = _sent(made)
    assert sent["real_radii"].dtype == np.float16
    assert sent["fake_radii"].dtype == np.float32
    np.testing.assert_allclose(sent["real_radii"].astype(float), made.real_radii, rtol=1e-3)


@pytest.mark.parametrize(
    "sent", [None, 7, "k", [], {}, {"k": "7"}, {"k": 0}, {"k": -3}, {"k": 1e9}, {"k": True}, {"k": 10**400}, {"n": 1}]
)
def test_nonsense_from_the_browser_is_nothing(sent: Any) -> None:
    assert k_of(sent) is None


def colours_at(sheet: np.ndarray, made: Manifolds, point: np.ndarray, panel: int) -> np.ndarray:
    """The pixel of the PNG at a point of the plane."""
    points = np.concatenate([made.real, made.fake]).astype(float)
    low, high = points.min(0), points.max(0)
    scale = SIDE / (float((high - low).max()) * (1 + 2 * MARGIN))
    x, y = (point - (low + high) / 2) * (scale, -scale) + SIDE / 2
    return sheet[round(y), round(x) + panel * (SIDE + 40)].astype(int)


def test_the_png_shows_the_union() -> None:
    """Pixels inside a ball have its colour, those outside of all the ground's."""
    made = example(n=25, m=20)
    sheet = np.asarray(Image.open(io.BytesIO(manifolds_png(made, 3))).convert("RGB"))
    random, ground = np.random.default_rng(1), [int(GROUND.light[k : k + 2], 16) for k in (1, 3, 5)]
    left, right, bottom, top = extent_of(made)
    seen = {True: 0, False: 0}
    for point in random.uniform((left, bottom), (right, top), (400, 2)):
        for panel, (centres, radii) in enumerate(((made.real, made.real_radii), (made.fake, made.fake_radii))):
            gap = np.linalg.norm(centres - point, axis=1) - radii[:, 2]
            dots = np.linalg.norm(np.concatenate([made.real, made.fake]) - point, axis=1).min()
            if np.abs(gap).min() < 0.05 or dots < 0.12:
                continue
            inside = bool((gap < 0).any())
            colour = colours_at(sheet, made, point, panel)
            assert (np.abs(colour - ground).max() > 8) == inside
            seen[inside] += 1
            if inside:
                hue = DATA if panel == 0 else MODEL
                strongest = int(np.argmin([int(hue.light[k : k + 2], 16) for k in (1, 3, 5)]))
                assert colour.argmin() == strongest  # tinted towards its own colour
    assert min(seen.values()) > 30


def test_figures_hold_their_numbers() -> None:
    four = np.array([0.9, 0.8, 1.1, 0.7])
    assert interval_chart(("precision", "recall", "density", "coverage"), four, four - 0.1, four + 0.1).tables["rows"][
        "text"
    ].tolist() == ["0.900", "0.800", "1.100", "0.700"]
    far = interval_chart(("precision", "density"), four[[0, 2]] * [1, 9], four[[0, 2]], four[[0, 2]] * 9).tables["rows"]
    assert far["text"].tolist() == ["0.900", "9.900 →"]  # what lies beyond the axis stands at its end, and says so
    assert far["at"].max() == far["high"].max() < 2
    x, values = np.arange(1.0, 4), np.random.default_rng(0).random((3, 4))
    theory = np.array([[1, np.nan], [1, 0.8], [1, 0.9]])
    numbers, axis = Curves(x, values, values, values, theory), Axis("k", (1.0, 3.0))
    shares, density = shares_chart(numbers, axis), density_chart(numbers, axis, at=2.0)
    assert len(shares.tables["curves"]["x"]) == 9
    assert shares.tables["theory"]["value"].tolist() == [0.8, 0.9]  # what is no number is left out
    assert shares.tables["marked"]["x"].tolist() == []
    np.testing.assert_array_equal(density.tables["curves"]["value"], values[:, 2])
    assert density.tables["theory"]["value"].tolist() == [1, 1, 1]
    assert density.tables["marked"]["x"].tolist() == [2]
    assert len(prd_chart(values[:, 0], values[:, 1]).tables["curve"]["order"]) == 3
    numbers = numbers._replace(mean=np.array([[0.1, 0.2, 1, 1], [0.11, 0.2, 1, 1], [0.9, 0.8, 1, 1]]))
    marks = trade_off(numbers, "ψ", reference=four, at=2.0)
    assert marks.tables["marks"]["text"].tolist() == ["", "2", "3"]  # the first would run into the chosen one
    assert marks.tables["marks"]["chosen"].tolist() == [False, True, False]
    assert marks.tables["ring"]["recall"].tolist() == [0.8]
    assert len(trade_off(numbers, "ψ").tables["ring"]["recall"]) == 0
    both = map_chart(values[:, :2], values[:2, :2], np.array([True, False, True]), np.array([True, True]))
    assert both.tables["points"]["covered"].tolist().count("not covered") == 1


@pytest.mark.parametrize("shape", [(7, 8, 8), (7, 8, 8, 3), (1, 28, 28), (24, 300, 300, 3)])
def test_a_montage_holds_every_image(shape: tuple[int, ...]) -> None:
    images = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    sheet = montage(images, columns=6)
    assert sheet.dtype == np.uint8
    first = images[0] if images.ndim == 4 else np.repeat(images[0][..., None], 3, -1)
    factor = max(1, round(288 / (6 * shape[2])))
    np.testing.assert_array_equal(sheet[: factor * shape[1] : factor, : factor * shape[2] : factor], first)


LINKS: list[dict[str, str]] = [
    {"part": "plane", "drop": "0.125", "k": "7"},
    {"formula": "printed", "shift": "10"},
    {"fake": "flow", "source": "zoo:cnf-moons", "temperature": "0.5"},
    {"fake": "uniform", "real": "gaussian", "real_outliers": "4"},
    {"part": "curves", "c_axis": "k", "c_n": "60", "c_dimension": "8"},
    {"part": "knob", "g_n": "40", "g_count": "3", "g_embed": "pixels"},
    {"part": "sets", "i_embed": "pca", "i_most": "100"},
]


@pytest.mark.parametrize("query", LINKS, ids=str)
def test_links_open(query: dict[str, str]) -> None:
    app = opened("precision_recall", query)
    no_failure(app)
    assert app.title


@pytest.mark.parametrize("preset", [*PLANE, *CURVES, *SETS, *KNOB], ids=lambda preset: preset.name)
def test_every_preset_opens(preset: Preset) -> None:
    parts = {("plane", ""): PLANE, ("curves", "c_"): CURVES, ("sets", "i_"): SETS, ("knob", "g_"): KNOB}
    part, prefix = next(where for where, those in parts.items() if preset in those)
    query = {name if name == "formula" else prefix + name: str(value) for name, value in preset.settings.items()}
    app = opened("precision_recall", {"part": part, **query})
    no_failure(app)
    assert not app.info, [element.value for element in app.info]


@pytest.mark.parametrize(
    "code",
    [
        takeaway.code(PairChecks.of(CloudPair(drop=0.25, n=60, m=50), 4)),
        curves_part._code(MetricCurves(axis="n", dimension=3, repeats=3, k=2)),
        knob_part._code(TradeOff(embed="pixels", n=30, count=3)),
        sets_part._code(SetComparison(generated="set:digits-test", embed="pca", most=60)),
    ],
)
def test_the_code_of_the_page_runs(code: str, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(curves_module, "COUNTS", (30, 50))
    exec(compile(code, "page", "exec"), {})
    assert len(capsys.readouterr().out) > 40


def test_files_to_take_home() -> None:
    pair = CloudPair(n=50, m=40)
    rows = takeaway.curves_csv(pair).decode().splitlines()
    assert len(rows) == 40  # a head, and k up to 39
    assert [float(cell) for cell in rows[3].split(",")] == pytest.approx([3, *pair.manifolds().curves[:, 2]])
    held = np.load(io.BytesIO(takeaway.arrays_npz(pair)), allow_pickle=False)
    np.testing.assert_array_equal(held["real"], pair.points()[0])


HOSTILE: list[dict[str, str]] = [
    {"k": "NaN"}, {"k": "-1"}, {"k": "9" * 300}, {"n": "1e400"}, {"drop": "2"}, {"real": "<script>"},
    {"real": "points"}, {"real": "points", "data": "0" * 16}, {"fake": "points", "fake_data": "../etc"},
    {"fake": "flow", "source": "zoo:../../x"}, {"fake": "flow", "source": "run:ffff"}, {"fake": "flow", "source": ""},
    {"part": "<b>"}, {"formula": "none"}, {"v": "99", "drop": "0.5"}, {"n": "20", "m": "20", "k": "50"},
    {"part": "curves", "c_axis": "temperature", "c_source": "zoo:nothing"},
    {"part": "knob", "g_source": "zoo:cnf-moons"}, {"part": "knob", "g_source": "run:ffff", "g_network": "zoo:../x"},
    {"part": "sets", "i_real": "own:../x"}, {"part": "sets", "i_generated": "vectors:" + "0" * 16},
    {"part": "sets", "i_network": "zoo:cnf-moons"}, {"part": "sets", "i_k": "999"},
]  # fmt: skip


def test_generators_are_listed_by_what_they_can_do() -> None:
    app = opened("precision_recall", {"part": "knob", "g_n": "40", "g_count": "3", "g_embed": "pixels"})
    listed = app.selectbox(key="g_generator").options
    drawing = [name for name in zoo.names() if hasattr(zoo.experiment(name), "generate")]
    assert len(drawing) > 1
    for name in drawing:
        assert any(title.startswith(f"{name}, shipped") for title in listed)
    assert not any("cnf-" in title for title in listed)


@pytest.mark.parametrize("query", HOSTILE, ids=str)
def test_hostile_links_do_no_harm(query: dict[str, str]) -> None:
    no_failure(opened("precision_recall", query))
