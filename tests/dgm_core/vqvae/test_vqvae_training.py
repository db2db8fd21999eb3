"""The image model: shapes, the step's loss and gradient, resume to the bit, what is refused, what is learned."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dgm_core.data.images import draw_shapes
from dgm_core.data.images.own import keep
from dgm_core.data.pixels import psnr
from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.metrics.patch_baselines import constant_patches, whole_patches
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae.tiles import code_tiles
from dgm_core.vqvae.training import QuantisedObjective, held_out_figures

CPU = resolve("cpu")
SMALL = {"dataset": "digits", "patch": 2, "codes": 16, "dimension": 4, "width": 8, "depth": 1, "steps": 60}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def reports(experiment: VQVAE, model: torch.nn.Module, **settings: object) -> list[Progress]:
    return list(experiment.train(model, CPU, **settings))  # type: ignore[arg-type]


def small_model(**settings: object) -> QuantisedAutoencoder:
    return VQVAE(**{**SMALL, **settings}).build()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dataset", "patch", "grid"), [("digits", 2, (4, 4)), ("mnist", 4, (7, 7)), ("shapes", 8, (4, 4))]
)
def test_maps_and_images_have_their_shapes(dataset: str, patch: int, grid: tuple[int, int]) -> None:
    model = VQVAE(dataset=dataset, patch=patch, width=8, depth=1).build()  # type: ignore[arg-type]
    x = torch.rand(3, *model.shape)
    codes = model.codes(x)
    assert codes.shape == (3, *grid)
    assert model.decode_codes(codes).shape == x.shape
    assert model.decode_codes(codes[:, :2, :1]).shape == (3, model.shape[0], 2 * patch, patch)
    assert model.codes(x[:0]).shape == (0, *grid)
    assert model.decode_codes(codes[:0]).shape == (0, *model.shape)


def test_an_untrained_model_is_grey() -> None:
    """The last layer starts at 0: every pixel is one half."""
    model = small_model()
    decoded, _, _ = model(torch.rand(2, 1, 8, 8))
    assert torch.equal(decoded, torch.full_like(decoded, 0.5))


@pytest.mark.parametrize("codebook", ["ema", "loss"])
def test_a_step_is_the_gradient_of_the_objective(codebook: str) -> None:
    """Against autograd of (x − x̂)²/Var + (1 or 0) ‖sg z − e‖² + β‖z − sg e‖² with the copy written out; 1e-5."""
    experiment = VQVAE(**{**SMALL, "codebook": codebook, "patience": 0})  # type: ignore[arg-type]
    model, images = experiment.build(), torch.tensor(experiment.images().train[:64])
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    optimiser = AveragedAdam(flatten_parameters(model), torch.zeros(sum(p.numel() for p in model.parameters())))
    objective = QuantisedObjective(model, images, 16, optimiser, torch.Generator().manual_seed(2), "random")
    chosen = torch.empty(16, dtype=torch.long).random_(64, generator=torch.Generator().manual_seed(2))
    x = images[chosen].float() / 255
    z = model.encode(x)
    quantiser = model.quantiser
    assert isinstance(quantiser, VectorQuantizer)
    e = quantiser.codebook[torch.cdist(z.reshape(-1, 4), quantiser.codebook).argmin(1)].view_as(z)
    wanted = F.mse_loss(model.decode(z + (e - z).detach()), x) / (images[:2000].float() / 255).var(correction=0)
    wanted = wanted + 0.25 * F.mse_loss(z, e.detach()) + (F.mse_loss(e, z.detach()) if codebook == "loss" else 0)
    expected = torch.autograd.grad(wanted, [p for p in model.parameters() if p.requires_grad])
    loss = objective(1)
    assert float(loss) == pytest.approx(wanted.item(), rel=1e-5)
    found = [p.grad for p in model.parameters() if p.requires_grad]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours is not None
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_what_has_no_gradient_is_left_alone_by_the_optimiser() -> None:
    """Running means, sizes and idle counts after a step are those that `observe` wrote, in the averages too."""
    experiment = VQVAE(**SMALL)  # type: ignore[arg-type]
    model = experiment.build()
    optimiser = AveragedAdam(flatten_parameters(model), torch.zeros(sum(p.numel() for p in model.parameters())))
    images = torch.tensor(experiment.images().train)
    objective = QuantisedObjective(model, images, 16, optimiser, torch.Generator().manual_seed(0), "k-means")
    for step in range(3):
        objective(step)
        quantiser = {name: tensor.clone() for name, tensor in model.quantiser.state_dict().items()}
        optimiser.step(1e-2)
    average = experiment.build()
    flat = flatten_parameters(average)
    flat.copy_(optimiser.average)
    for name, tensor in quantiser.items():
        assert torch.equal(model.quantiser.state_dict()[name], tensor), name
        assert torch.equal(average.quantiser.state_dict()[name], tensor), name


@pytest.mark.parametrize("settings", [{}, {"codebook": "loss", "patience": 3}, {"quantiser": "fsq"}])
def test_a_resumed_training_ends_where_an_unbroken_one_does(settings: dict[str, object]) -> None:
    """Weights, codes, sizes: equal to the bit, from the checkpoint of the first report."""
    experiment = VQVAE(**{**SMALL, **settings})  # type: ignore[arg-type]
    whole, again = experiment.build(), experiment.build()
    checkpoint = next(report.checkpoint for report in reports(experiment, whole) if report.checkpoint)
    assert checkpoint is not None
    last = reports(experiment, again, resume=checkpoint)[-1]
    assert last.step == experiment.steps
    for name, tensor in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_progress_tells_what_it_promises() -> None:
    experiment, model = VQVAE(**SMALL), small_model()  # type: ignore[arg-type]
    found = reports(experiment, model)
    pictured = [report for report in found if report.preview]
    last = pictured[-1]
    assert last.step == found[-1].step == 60
    assert {name: array.shape for name, array in last.preview.items()} == {
        "inputs": (8, 1, 8, 8), "reconstructions": (8, 1, 8, 8), "codes": (8, 4, 4), "tiles": (16, 1, 2, 2),
        "codebook": (16, 4), "counts": (16,),
    }  # fmt: skip
    test = experiment.images().test
    assert int(last.preview["counts"].sum()) == len(test) * 16
    assert {"mse", "psnr", "perplexity", "used", "commitment", "loss", "perplexity_batch"} <= set(last.metrics)
    assert len(pictured) > 5


def test_held_out_figures_are_their_definitions() -> None:
    """MSE of clipped pixels, PSNR, perplexity and use by NumPy on the whole set at once."""
    experiment = VQVAE(**SMALL)  # type: ignore[arg-type]
    model, images = experiment.fit("cpu"), experiment.images().test
    assert isinstance(model, QuantisedAutoencoder)
    figures, counts = held_out_figures(model, torch.tensor(images))
    x = torch.tensor(images).float() / 255
    codes = model.codes(x)
    mse = float((model.decode_codes(codes).double() - x.double()).square().mean())
    shares = np.bincount(codes.numpy().ravel(), minlength=16) / codes.numel()
    entropy = -sum(p * math.log(p) for p in shares if p)
    assert figures["mse"] == pytest.approx(mse, rel=1e-5)
    assert figures["psnr"] == pytest.approx(10 * math.log10(1 / mse), rel=1e-6)
    assert figures["perplexity"] == pytest.approx(math.exp(entropy), rel=1e-9)
    assert figures["used"] == (shares > 0).mean()
    assert np.array_equal(counts, (shares * codes.numel()).round())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"codebook": "loss"},
        {"quantiser": "fsq"},
        {"distance": "cosine"},
        {"gradient": "rotation"},
        {"start": "data"},
    ],
)
def test_every_way_learns_digits(settings: dict[str, object]) -> None:
    """250 short steps: 2 dB better than the mean grey of each pixel, which needs no code."""
    experiment = VQVAE(**{**SMALL, "width": 16, "steps": 250, "codes": 64, **settings})  # type: ignore[arg-type]
    model = experiment.fit("cpu")
    assert isinstance(model, QuantisedAutoencoder)
    images = experiment.images()
    figures, _ = held_out_figures(model, torch.tensor(images.test))
    plain = psnr(float(((images.test - images.train.mean(0)) / 255.0).astype(np.float64).__pow__(2).mean()))
    assert figures["psnr"] > plain + 2


def test_restarts_bring_codes_to_life() -> None:
    """Random codes and no restart leave some unused; with restart most are used."""
    plain, cured = (
        VQVAE(**{**SMALL, "codes": 64, "steps": 200, "start": "random", "patience": patience})  # type: ignore[arg-type]
        for patience in (0, 5)
    )
    used = []
    for experiment in (plain, cured):
        model = experiment.fit("cpu")
        assert isinstance(model, QuantisedAutoencoder)
        used.append(held_out_figures(model, torch.tensor(experiment.images().test))[0]["used"])
    assert used[0] < 0.8 < used[1]


def test_a_tile_is_the_middle_of_a_map_of_one_code() -> None:
    """Larger maps of the same code have the same middle: the tile has seen all the decoder sees."""
    model = VQVAE(**SMALL).fit("cpu")  # type: ignore[arg-type]
    assert isinstance(model, QuantisedAutoencoder)
    tiles = code_tiles(model)
    images = (model.decode_codes(torch.arange(16).view(16, 1, 1).expand(16, 15, 15)) * 255).round().byte()
    assert tiles.shape == (16, 1, 2, 2)
    assert int((tiles.int() - images[:, :, 14:16, 14:16].int()).abs().max()) <= 1


def test_fewer_vectors_than_codes_end_the_training_with_a_sentence() -> None:
    experiment = VQVAE(dataset="digits", patch=8, codes=2048, steps=10, width=8)  # 1,437 digits, one code each
    with pytest.raises(TrainingFailedError, match=r"2,048 codes are to start from vectors.*Take fewer codes"):
        reports(experiment, experiment.build())


def test_sets_that_are_not_there_end_the_training_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGM_DATA", "/nowhere")
    experiment = VQVAE(dataset="mnist", steps=10)
    with pytest.raises(TrainingFailedError, match="MNIST is not on this machine"):
        reports(experiment, experiment.build())


def test_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="an autoencoder with codes is trained here"):
        next(VQVAE().train(torch.nn.Linear(1, 1), CPU))


def test_ones_own_images_are_learned_and_misfits_told() -> None:
    """Twelve grey pictures of 12 × 12: cut by 4, not by 5; more codes than patches is a sentence."""
    noise = np.random.default_rng(0).integers(0, 256, (12, 1, 12, 12), np.uint8)
    own = {"dataset": "own", "data": keep(noise), "codes": 16, "width": 8, "depth": 1, "steps": 10}
    good = VQVAE(**own, patch=4)
    assert reports(good, good.build())[-1].preview["reconstructions"].shape[1:] == (1, 12, 12)
    with pytest.raises(DataError, match="12 × 12 pixels are not cut into patches of 5 × 5"):
        VQVAE(**own, patch=5).build()
    many = VQVAE(**{**own, "codes": 1024}, patch=4)
    with pytest.raises(TrainingFailedError, match="1,024 codes are to start"):
        reports(many, many.build())
    lost = VQVAE(**{**own, "data": "0" * 64}, patch=4)
    with pytest.raises(DataError):
        lost.build()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset": "mnist", "patch": 8}, "28 × 28 pixels are not cut into patches of 8 × 8"),
        ({"dataset": "own"}, "they need data"),
        ({"codes": 15}, "greater than or equal to 16"),
    ],
)
def test_declarations_that_cannot_be_are_told(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        VQVAE(**values)  # type: ignore[arg-type]


def test_settings_that_change_nothing_make_no_other_run() -> None:
    assert VQVAE(quantiser="fsq", codes=300).key == VQVAE(quantiser="fsq", codes=240, dimension=3, start="data").key
    assert VQVAE(codebook="loss", decay=0.5) == VQVAE(codebook="loss")
    assert VQVAE(quantiser="fsq").build().quantiser.codes == VQVAE(quantiser="fsq").codes == 240


def test_baselines_are_what_they_say() -> None:
    """As many constant patches as codes come back whole; two patterns of equal mean only as whole patches."""
    flat = np.repeat(np.repeat(np.array([0, 80, 160, 240], np.uint8).reshape(1, 1, 2, 2), 4, 2), 4, 3)
    images = torch.tensor(np.concatenate([flat] * 20))
    assert constant_patches(images, images, 4, 4) == 100
    stripes = torch.zeros(20, 1, 8, 8, dtype=torch.uint8)
    stripes[:10, :, ::2], stripes[10:, :, 1::2] = 255, 255
    assert whole_patches(stripes, stripes, 4, 2) == 100
    assert constant_patches(stripes, stripes, 4, 2) == pytest.approx(psnr(0.25), abs=1e-6)


def test_more_codes_are_no_worse_a_baseline() -> None:
    shapes = draw_shapes(16, 40)
    train, test = torch.tensor(shapes.train), torch.tensor(shapes.test)
    found = [constant_patches(train, test, 4, codes) for codes in (2, 16, 64)]
    assert found == sorted(found)
