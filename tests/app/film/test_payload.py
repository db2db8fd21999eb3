"""What the player's bytes say: quantisation within its bounds, positions in half precision, the film in its order."""

from __future__ import annotations

import gc
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.film import payload
from app.film.payload import ROOT, dequantise, encode, message, positions, quantise
from dgm_core.film import Film
from dgm_core.pack import unpack

EXTENT = (-2.0, 2.0, -1.0, 1.0)


def small_film(frames: int = 3, height: int = 4, width: int = 5, **extra: np.ndarray) -> Film:
    rng = np.random.default_rng(7)
    log_prob = rng.normal(-3, 2, (frames, height, width)).astype(np.float32)
    return Film(np.linspace(0, 1, frames), log_prob, EXTENT, **extra)


log_densities = arrays(np.float32, (2, 3, 4), elements=st.floats(-2e4, 2e4, width=32))


@given(log_densities)
@settings(max_examples=200, deadline=None)
def test_quantisation_is_as_good_as_half_a_step_of_a_byte(log_prob: np.ndarray) -> None:
    """|q − 255 (p/peak)^¼| ≤ ½, so ln p lies between what q − ½ and q + ½ stand for; float32 adds 1e-3 at 2e4 nats."""
    q, peaks = quantise(log_prob)
    assert np.array_equal(peaks, log_prob.max(axis=(1, 2)))
    below = log_prob.astype(np.float64) - peaks[:, None, None].astype(np.float64)
    exact = 255 * np.exp(below / ROOT)
    assert np.all(np.abs(q - exact) <= 0.5 + 255 * 1e-3)
    kept = q > 0
    bound = ROOT * np.log(q[kept] / (q[kept] - 0.5))
    read = dequantise(q, peaks).astype(np.float64) - peaks[:, None, None]
    assert np.all(np.abs(read[kept] - below[kept]) <= bound + 0.01)


@pytest.mark.parametrize(("share", "nats"), [(1.0, 0.008), (1e-3, 0.045), (1e-6, 0.25)])
def test_the_error_stated_in_the_docstring(share: float, nats: float) -> None:
    """Ten thousand densities around a share of the peak; the bound is 2/q nats to first order."""
    below = np.log(share) - np.linspace(0, 0.5, 10_000)
    log_prob = np.concatenate([[0.0], below]).astype(np.float32).reshape(1, 1, -1)
    worst = np.abs(dequantise(*quantise(log_prob)) - log_prob).max()
    assert nats / 4 < worst <= nats * 1.15


@given(log_densities)
@settings(max_examples=100, deadline=None)
def test_order_is_kept(log_prob: np.ndarray) -> None:
    q, _ = quantise(log_prob)
    for frame, bytes_ in zip(log_prob, q, strict=True):
        order = np.argsort(frame, axis=None, kind="stable")
        assert np.all(np.diff(bytes_.ravel()[order].astype(int)) >= 0)
        assert bytes_.ravel()[order[-1]] == 255


def test_what_is_no_number_is_no_density() -> None:
    log_prob = np.array([[[np.nan, -np.inf], [-1.0, -2.0]], [[np.nan, np.nan], [-np.inf, -np.inf]]], np.float32)
    q, peaks = quantise(log_prob)
    assert q[0].tolist() == [[0, 0], [255, round(255 * np.exp(-1 / ROOT))]]
    assert not q[1].any()
    assert peaks.tolist() == [-1.0, 0.0]
    assert np.all(dequantise(q, peaks)[1] == -np.inf)


def test_an_infinite_density_takes_no_frame_down() -> None:
    q, peaks = quantise(np.array([[[np.inf, 0.0]]], np.float32))
    assert q.tolist() == [[[0, 255]]]
    assert peaks.tolist() == [0.0]


@given(arrays(np.float32, (6, 2), elements=st.floats(-8, 8, width=32)))
@settings(max_examples=100, deadline=None)
def test_positions_within_a_tenth_of_a_pixel(points: np.ndarray) -> None:
    """Half precision has 11 bits: at most 2⁻¹² of the next power of two, 0.002 in a plane of ±8."""
    half = positions(points)
    assert half.dtype == np.float16
    bound = np.maximum(np.abs(points) * 2.0**-11, 2.0**-25)
    assert np.all(np.abs(half.astype(np.float64) - points) <= bound)


def test_positions_out_of_range_are_finite() -> None:
    assert np.isfinite(positions(np.array([np.nan, np.inf, -np.inf, 1e30]))).all()


def test_a_film_keeps_its_rows_and_its_meaning() -> None:
    rng = np.random.default_rng(1)
    extra = {
        "particles": rng.normal(size=(3, 6, 2)).astype(np.float32),
        "arrows": rng.normal(size=(3, 2, 2, 2)).astype(np.float32),
        "grid": rng.normal(size=(3, 2, 5, 2)).astype(np.float32),
    }
    film = small_film(**extra)
    film.log_prob[1, 0, 4] = 9  # the peak of frame 1: at ymin and xmax
    meta, sent = unpack(encode(film).packed)
    assert tuple(meta["extent"]) == EXTENT
    assert np.array_equal(sent["times"], film.times)
    assert np.unravel_index(sent["q"][1].argmax(), (4, 5)) == (0, 4)
    assert sent["peaks"][1] == 9
    speeds = np.linalg.norm(extra["arrows"], axis=-1)
    assert np.median(speeds) < meta["speed"] <= speeds.max()
    for name, array in extra.items():
        np.testing.assert_allclose(sent[name].astype(np.float32), array, rtol=2.0**-11)


def test_the_same_film_is_encoded_once_and_forgotten_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Film] = []
    plain = payload._encode
    monkeypatch.setattr(payload, "_encode", lambda film: (made.append(film), plain(film))[1])
    film = small_film()
    assert encode(film) is encode(film)
    assert len(made) == 1
    key = id(film)
    made.clear()
    del film
    gc.collect()
    assert key not in payload._encoded


def test_equal_films_have_one_digest_and_others_another() -> None:
    assert encode(small_film()).digest == encode(small_film()).digest
    other = small_film()
    other.log_prob[2, 3, 4] -= 5
    assert encode(other).digest != encode(small_film()).digest


@pytest.mark.parametrize("shape", [(0, 2, 2), (3, 0, 2), (3, 4)])
def test_a_film_that_cannot_be_shown_says_so(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a film needs densities of shape"):
        encode(Film(np.arange(shape[0]), np.zeros(shape, np.float32), EXTENT))


def test_a_message_without_the_film_is_small() -> None:
    film = encode(small_film(frames=20, height=64, width=64))
    path = np.linspace(0, 1, 40).reshape(20, 2)
    with_film = message(film, {"digest": film.digest}, {"path": path, "points": None})
    without = message(None, {"digest": film.digest}, {"path": path, "points": None})
    meta, sent = unpack(without)
    assert meta == {"digest": film.digest}
    assert set(sent) == {"path"}
    np.testing.assert_array_equal(sent["path"], path.astype(np.float32))
    assert unpack(with_film)[1]["film"].tobytes() == film.packed
    assert len(without) < 1000 < len(with_film)


def test_options_are_json_as_browsers_read_it() -> None:
    """Browsers refuse NaN and infinity, which Python's own JSON would write."""
    from app.film.settings import options

    json.dumps(options({"time": None, "layers": ("density",)}), allow_nan=False)
