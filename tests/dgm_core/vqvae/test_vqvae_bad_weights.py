"""Weights that do not fit their declaration, codebooks with rows that are equal or no numbers: a sentence each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from dgm_core import sources, zoo
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.nn.nearest import nearest_code
from dgm_core.views import Viewed
from dgm_core.vqvae.atlas import chart_codes
from dgm_core.vqvae.browse import browse, drop
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.views import CodebookAtlas

NAME = "vqvae-digits"


def weights() -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in zoo.load(NAME).state_dict().items()}


def shorter(found: dict[str, Tensor]) -> None:
    key = next(name for name in found if name.endswith("codebook"))
    found[key] = found[key][:-1].clone()


def renamed(found: dict[str, Tensor]) -> None:
    found["another"] = found.pop(next(iter(found)))


def missing(found: dict[str, Tensor]) -> None:
    found.pop(next(iter(found)))


@pytest.mark.parametrize("spoil", [shorter, renamed, missing])
def test_weights_of_another_shape_are_told(
    spoil: Callable[[dict[str, Tensor]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run's file whose tensors do not fit the declaration in it ends in one sentence, as does a file cut short."""
    monkeypatch.setenv("DGM_HOME", str(tmp_path))
    file = tmp_path / "runs" / "abc" / "weights.safetensors"
    file.parent.mkdir(parents=True)
    found = weights()
    save_file(found, file, metadata={"experiment": zoo.experiment(NAME).canonical()})
    sources.load("run:abc")
    spoil(found)
    save_file(found, file, metadata={"experiment": zoo.experiment(NAME).canonical()})
    with pytest.raises(DataError, match="The model run:abc cannot be read") as caught:
        sources.load("run:abc")
    assert "\n" not in str(caught.value)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be read"):
        sources.load("run:abc")


def spoiled(change: Callable[[Tensor], object]) -> tuple[QuantisedAutoencoder, np.ndarray]:
    """The shipped model of digits with a changed codebook, and images."""
    model = zoo.experiment(NAME).build()
    assert isinstance(model, QuantisedAutoencoder)
    model.load_state_dict(weights())
    with torch.no_grad():
        change(model.quantiser.codebook)  # type: ignore[arg-type]
    declaration = zoo.experiment(NAME)
    assert isinstance(declaration, VQVAE)
    return model.eval(), declaration.images().test[:20]


def test_rows_that_are_no_numbers_are_named() -> None:
    """Whoever looks at such a codebook is told the row; dropping it leaves the others in use."""
    model, images = spoiled(lambda rows: rows[5].fill_(torch.nan))
    with pytest.raises(ValueError, match="Row 5 of the codebook"):
        browse(model, images)
    with pytest.raises(ValueError, match="Row 5 of the codebook"):
        chart_codes(model, images)
    view = CodebookAtlas(source=f"zoo:{NAME}", count=20)
    with pytest.raises(TrainingFailedError, match="Row 5 of the codebook"):
        view.make(Viewed(zoo.experiment(NAME), model), torch.device("cpu"))
    outputs = torch.zeros(3, model.quantiser.dimension)
    with pytest.raises(ValueError, match="Row 5 of the codebook"):
        nearest_code(outputs, model.quantiser.vectors())
    assert (drop(model, outputs.numpy(), [5]) != 5).all()


def test_equal_rows_leave_the_later_ones_unused() -> None:
    """Of equal codes the first wins; the atlas counts the others as dead and each as the other's nearest, at 0."""
    model, images = spoiled(lambda rows: rows.copy_(rows[:1].expand_as(rows).clone()))
    atlas = chart_codes(model, images)
    assert atlas.counts[0] == atlas.counts.sum() == images.shape[0] * np.prod(model.grid)
    assert np.isfinite(atlas.projection).all()
    assert (atlas.neighbour_distances == 0).all()
    assert (browse(model, images).codes == 0).all()
    assert atlas.perplexity == pytest.approx(1.0)
