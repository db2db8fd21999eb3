"""The training of a hierarchy: the step's loss and gradient, level dropout, resume to the bit, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from dgm_core.data.images.own import keep
from dgm_core.device import resolve
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, TrainingFailedError
from dgm_core.training.averaged_adam import AveragedAdam, flatten_parameters
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.model import HierarchicalAutoencoder
from dgm_core.vqvae2.reels import training_reel
from dgm_core.vqvae2.training import HierarchyObjective, held_out_figures, level_bits

CPU = resolve("cpu")
SMALL = {"dataset": "digits", "patch": 2, "codes": 16, "dimension": 4, "width": 8, "steps": 60}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def reports(experiment: VQVAE2, model: torch.nn.Module, **settings: object) -> list[Progress]:
    return list(experiment.train(model, CPU, **settings))  # type: ignore[arg-type]


def small(**settings: object) -> VQVAE2:
    return VQVAE2(**{**SMALL, **settings})


def objective_of(experiment: VQVAE2, seed: int) -> tuple[HierarchicalAutoencoder, AveragedAdam, HierarchyObjective]:
    model, images = experiment.build(), torch.tensor(experiment.images().train)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(name))))
    optimiser = AveragedAdam(flatten_parameters(model), torch.zeros(sum(p.numel() for p in model.parameters())))
    generator = torch.Generator().manual_seed(seed)
    return model, optimiser, HierarchyObjective(model, images, 16, optimiser, generator, experiment.level_dropout)


@pytest.mark.parametrize("levels", [2, 3])
def test_a_step_is_the_gradient_of_the_objective(levels: int) -> None:
    """Against autograd of (x − x̂)²/Var + β Σ_l ‖z_l − sg e_l‖² with the copy written out; 1e-5."""
    experiment = small(levels=levels, level_dropout=0.0, patience=0)
    model, _, objective = objective_of(experiment, 2)
    images = torch.tensor(experiment.images().train)
    chosen = torch.empty(16, dtype=torch.long).random_(len(images), generator=torch.Generator().manual_seed(2))
    x, wanted, values, told = images[chosen].float() / 255, torch.zeros(()), [], None
    for level, features in enumerate(model.features(x)):
        z, codebook = model.outputs(features, level, told), model.quantiser(level).codebook.detach().clone()
        e = codebook[torch.cdist(z.reshape(-1, 4), codebook).argmin(1)].view_as(z)
        wanted = wanted + 0.25 * F.mse_loss(z, e)
        values.append(z + (e - z).detach())
        told = model.tell(values[-1], level, told) if level + 1 < levels else None
    spread = (images[:2000].float() / 255).var(correction=0)
    wanted = wanted + F.mse_loss(model.decode(values), x) / spread
    learned = [p for name, p in model.named_parameters() if p.requires_grad]
    expected = torch.autograd.grad(wanted, learned)
    assert float(objective(1)) == pytest.approx(wanted.item(), rel=1e-5)
    for parameter, theirs in zip(learned, expected, strict=True):
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, theirs, atol=1e-5)


def test_level_dropout_keeps_each_number_of_levels_as_often_as_it_says() -> None:
    """p = 0.6 of three levels: 0.3, 0.3, 0.4, within four standard errors of 20,000 images."""
    _, _, objective = objective_of(small(levels=3, level_dropout=0.6), 0)
    kept = objective._kept_levels(20_000)
    for count, share in ((1, 0.3), (2, 0.3), (3, 0.4)):
        error = math.sqrt(share * (1 - share) / 20_000)
        assert float((kept == count).double().mean()) == pytest.approx(share, abs=4 * error)
    _, _, never = objective_of(small(levels=3, level_dropout=0.0), 0)
    assert int(never._kept_levels(1_000).min()) == 3


def test_only_dropout_gives_stand_ins_a_gradient() -> None:
    """With p = 0.9 the bottom's stand-in learns; with p = 0 it is the running mean of the bottom's codes."""
    model, _, objective = objective_of(small(level_dropout=0.9), 0)
    objective(0)
    gradient = model.stand_in(1).vector.grad
    assert gradient is not None
    assert float(gradient.abs().max()) > 0
    model, optimiser, objective = objective_of(small(level_dropout=0.0, patience=0), 0)
    objective(0)
    for step in range(1, 3):
        before = model.stand_in(1).vector.detach().clone()
        state = objective.generator.get_state()
        codebook = model.quantiser(1).codebook.detach().clone()
        rows = torch.empty(16, dtype=torch.long)
        again = torch.Generator()
        again.set_state(state)
        x = objective.arrays[0][rows.random_(len(objective.arrays[0]), generator=again)].float() / 255
        mean = codebook[model.codes(x)[1]].mean((0, 1, 2))
        objective(step)
        assert torch.allclose(model.stand_in(1).vector, 0.99 * before + 0.01 * mean, atol=1e-6)
        optimiser.step(0.0)


def test_what_has_no_gradient_is_left_alone_by_the_optimiser() -> None:
    """Codes, sizes, idle counts and means after a step are those that were observed, in the averages too."""
    experiment = small(level_dropout=0.0)
    model, optimiser, objective = objective_of(experiment, 0)
    for step in range(3):
        objective(step)
        fixed = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
        optimiser.step(1e-2)
    average = experiment.build()
    flatten_parameters(average).copy_(optimiser.average)
    assert any(name.startswith("absent") for name in fixed)
    for name, tensor in fixed.items():
        assert torch.equal(dict(model.named_parameters())[name], tensor), name
        assert torch.equal(dict(average.named_parameters())[name], tensor), name


@pytest.mark.parametrize("settings", [{}, {"levels": 3, "level_dropout": 0.0, "patience": 3}])
def test_a_resumed_training_ends_where_an_unbroken_one_does(settings: dict[str, object]) -> None:
    """Weights, codes, sizes: equal to the bit, from the checkpoint of the first report."""
    experiment = small(**settings)
    whole, again = experiment.build(), experiment.build()
    checkpoint = next(report.checkpoint for report in reports(experiment, whole) if report.checkpoint)
    assert checkpoint is not None
    assert reports(experiment, again, resume=checkpoint)[-1].step == experiment.steps
    for name, tensor in whole.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_progress_tells_what_it_promises_and_is_a_reel() -> None:
    experiment = small(levels=3)
    found = reports(experiment, experiment.build())
    pictured = [(report.step, report.preview) for report in found if report.preview]
    step, last = pictured[-1]
    assert step == found[-1].step == 60
    assert {name: array.shape for name, array in last.items()} == {
        "inputs": (6, 1, 8, 8), "upto_1": (6, 1, 8, 8), "upto_2": (6, 1, 8, 8), "upto_3": (6, 1, 8, 8),
        "codes_1": (6, 1, 1), "codes_2": (6, 2, 2), "codes_3": (6, 4, 4),
        "counts_1": (16,), "counts_2": (16,), "counts_3": (16,),
    }  # fmt: skip
    test = experiment.images().test
    assert [int(last[f"counts_{k}"].sum()) for k in (1, 2, 3)] == [len(test) * places for places in (1, 4, 16)]
    assert {f"{name}_{k}" for name in ("mse", "psnr", "perplexity", "used", "bits") for k in (1, 2, 3)} <= set(
        found[-1].metrics
    )
    reel = training_reel(pictured)
    assert reel.frames.shape == (len(pictured), 4, 6, 8, 8)
    assert reel.row_labels == ("top", "top + middle", "all three", "image")
    assert np.array_equal(reel.at(60)[3], last["inputs"][:, 0])
    assert np.array_equal(reel.at(60)[1], last["upto_2"][:, 0])
    with pytest.raises(ValueError, match="no picture yet"):
        training_reel([])


def test_held_out_figures_are_their_definitions() -> None:
    """MSE of clipped pixels from each prefix, perplexity and use by NumPy on the whole set at once."""
    experiment = small()
    model, images = experiment.fit("cpu"), experiment.images().test
    assert isinstance(model, HierarchicalAutoencoder)
    figures, counts = held_out_figures(model, torch.tensor(images))
    x = torch.tensor(images).float() / 255
    codes = model.codes(x)
    for k in (1, 2):
        mse = float((model.decode_codes(codes, k).double() - x.double()).square().mean())
        shares = np.bincount(codes[k - 1].numpy().ravel(), minlength=16) / codes[k - 1].numel()
        entropy = -sum(p * math.log(p) for p in shares if p)
        assert figures[f"mse_{k}"] == pytest.approx(mse, rel=1e-5)
        assert figures[f"psnr_{k}"] == pytest.approx(10 * math.log10(1 / mse), rel=1e-6)
        assert figures[f"perplexity_{k}"] == pytest.approx(math.exp(entropy), rel=1e-9)
        assert figures[f"used_{k}"] == (shares > 0).mean()
        assert np.array_equal(counts[k - 1], (shares * codes[k - 1].numel()).round())
    assert level_bits(model) == (4 * 4.0, 16 * 4.0) == (figures["bits_1"], figures["bits_2"])


def test_digits_are_learned_by_both_levels() -> None:
    """400 short steps: the top alone beats the mean digit, which needs no code, by 1 dB, both by 3 dB."""
    experiment = small(width=16, steps=400, codes=64)
    model, images = experiment.fit("cpu"), experiment.images()
    assert isinstance(model, HierarchicalAutoencoder)
    figures, _ = held_out_figures(model, torch.tensor(images.test))
    mse = float((((images.test - images.train.mean(0)) / 255.0) ** 2).mean())
    plain = -10 * math.log10(mse)
    assert figures["psnr_1"] > plain + 1
    assert figures["psnr_2"] > plain + 3


def test_fewer_vectors_than_codes_end_the_training_with_a_sentence() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 1, 8, 8), np.uint8)
    experiment = small(dataset="own", data=keep(noise), codes=1024)
    with pytest.raises(TrainingFailedError, match=r"1,024 codes are to start from vectors.*Take fewer codes"):
        reports(experiment, experiment.build())


def test_ones_own_images_are_learned_and_misfits_told() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (20, 3, 12, 12), np.uint8)
    own = {"dataset": "own", "data": keep(noise), "steps": 10}
    good = small(**own)
    assert reports(good, good.build())[-1].preview["upto_2"].shape[1:] == (3, 12, 12)
    with pytest.raises(DataError, match="12 × 12 pixels do not hold 3 levels"):
        small(**own, levels=3, patch=4).build()
    with pytest.raises(DataError):
        small(**{**own, "data": "0" * 64}).build()


def test_sets_that_are_not_there_end_the_training_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DGM_DATA", "/nowhere")
    experiment = VQVAE2(dataset="cifar10", steps=10)
    with pytest.raises(TrainingFailedError, match="CIFAR-10"):
        reports(experiment, experiment.build())


def test_another_model_is_refused() -> None:
    with pytest.raises(TypeError, match="a hierarchy of codes is trained here"):
        next(VQVAE2().train(torch.nn.Linear(1, 1), CPU))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset": "digits", "patch": 4, "levels": 3}, "8 × 8 pixels do not hold 3 levels"),
        ({"dataset": "mnist", "patch": 8}, "28 × 28 pixels do not hold 2 levels"),
        ({"dataset": "own"}, "they need data"),
        ({"levels": 4}, "less than or equal to 3"),
        ({"codes": 2048}, "less than or equal to 1024"),
    ],
)
def test_declarations_that_cannot_be_are_told(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        VQVAE2(**values)
