"""Two sets, embedded and compared: the four numbers at every k, other distances, and who is not covered."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from dgm_core.checks import Check, write_checks
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import TrainingFailedError
from dgm_core.metrics import covering, frechet_distance, kid, prd_curve, prdc, prdc_curve
from dgm_core.precision_recall.checks import MOST, NAMES, exhaustive
from dgm_core.precision_recall.classifier import fitted
from dgm_core.precision_recall.sets import PATTERN, load_set
from dgm_core.precision_recall.spaces import NETWORK_PATTERN, SPACES, SpaceName, fitted_space
from dgm_core.views import Made, View

Change = Literal["none", "noise", "blur", "fade"]
_CHANGES = {"none": "as they are", "noise": "noise", "blur": "blur", "fade": "contrast"}
K_MAX, SHOWN = 50, 24
"""Neighbours up to which all is measured; images of each kind in the gallery."""
HALF = 1_000_003
"""Added to the seed for the generated set, so that two names for one set give different choices of it."""


class Pair(NamedTuple):
    """Two sets as they came and as they are compared.

    Args:
        real, fake: (N, C, H, W) or (N, D), and likewise M.
        embedded_real, embedded_fake: (N, F) and (M, F).
    """

    real: Tensor
    fake: Tensor
    embedded_real: np.ndarray
    embedded_fake: np.ndarray


class SetComparison(View):
    """Real and generated images or numbers, through an embedding.

    Artifacts: ``figures``, an NPZ (see `figures_of`); ``checks``.
    """

    topic: ClassVar[str] = "precision_recall"

    real: Annotated[
        str,
        Field(
            pattern=PATTERN, title="Real set", description="A half of an image set, or data of your own.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "set:digits-train"  # fmt: skip
    generated: Annotated[
        str,
        Field(
            pattern=PATTERN, title="Generated set", description="Samples of a model, images, or data of your own.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "zoo:gumbel-digits"  # fmt: skip
    change: Annotated[
        Change,
        Field(
            title="Generated images get", description="A defect, to see which number notices it.",
            json_schema_extra=extra(basic=True, labels=_CHANGES),
        ),
    ] = "none"  # fmt: skip
    amount: Annotated[
        float,
        Field(
            ge=0, le=1, title="Amount", description="Of the defect.",
            json_schema_extra=extra(basic=True, when={"change": ("noise", "blur", "fade")}),
        ),
    ] = 0.3  # fmt: skip
    embed: Annotated[
        SpaceName,
        Field(
            title="Embedding", description="In which space distances are taken.",
            json_schema_extra=extra(basic=True, labels=SPACES),
        ),
    ] = "classifier"  # fmt: skip
    components: Annotated[
        int,
        Field(
            ge=1, le=512, title="Components", description="Principal components of the real set that are kept.",
            json_schema_extra=extra(basic=True, log=True, when={"embed": ("pca",)}),
        ),
    ] = 16  # fmt: skip
    network: Annotated[
        str,
        Field(
            pattern=NETWORK_PATTERN, title="Network",
            description="zoo:NAME, run:ID of a classifier that was trained here, file:NAME of weights of your own.",
            json_schema_extra=extra(basic=True, when={"embed": ("classifier",)}),
        ),
    ] = "zoo:precision_recall-digits"  # fmt: skip
    most: Annotated[
        int,
        Field(
            ge=20, le=10_000, title="At most", description="Of either set; larger ones are thinned at random.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 1000  # fmt: skip
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of choices and noise.", json_schema_extra=extra())
    ] = 0

    def make(self, model: Made, device: torch.device) -> Mapping[str, bytes]:
        """Compare.

        Raises:
            TrainingFailedError: when the sets cannot be compared, with one plain sentence.
        """
        try:
            pair = self.pair()
            arrays, k = figures_of(pair, self.seed), min(5, len(pair.real) - 1, len(pair.fake) - 1)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        out = io.BytesIO()
        np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
        return {"figures": out.getvalue(), "checks": write_checks(set_checks(pair, k))}

    def pair(self) -> Pair:
        """Load, change and embed both sets.

        Raises:
            DataError: when one is missing, or they do not go together.
        """
        real, fake = load_set(self.real, self.most, self.seed), load_set(self.generated, self.most, self.seed + HALF)
        if (real.ndim == 4) != (fake.ndim == 4):
            raise DataError("One set holds images and the other numbers; two of a kind can be compared.")
        if real.ndim == 4:
            shape = (int(real.shape[1]), int(real.shape[2]), int(real.shape[3]))
            fake = changed(fitted(fake, shape), self.change, self.amount, self.seed)
        elif self.embed == "classifier":
            raise DataError("A classifier embeds images; take raw numbers or principal components here.")
        elif real.shape[1] != fake.shape[1]:
            raise DataError(f"The real set has {real.shape[1]} columns and the generated one {fake.shape[1]}.")
        embed = fitted_space(real, self.embed, network=self.network, components=self.components)
        return Pair(real, fake, embed(real), embed(fake))


def changed(images: Tensor, change: Change, amount: float, seed: int) -> Tensor:
    """Images with a defect, (N, C, H, W) in [0, 1].

    Args:
        images: as they are.
        change: which defect.
        amount: 0 … 1: the noise's standard deviation; the blur's, in quarters of a side; the contrast that is lost.
        seed: of the noise.
    """
    if change == "noise":
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
        return (images + amount * noise).clamp(0, 1)
    if change == "blur" and amount > 0:
        sigma, half = amount * images.shape[-1] / 4, images.shape[-1] // 2
        kernel = torch.exp(-0.5 * (torch.arange(-half, half + 1) / sigma).square())
        kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, -1)
        for axis in (kernel[..., None], kernel[..., None, :]):
            padding = (half, 0) if axis.shape[-1] == 1 else (0, half)
            images = functional.conv2d(images, axis, padding=padding, groups=images.shape[1])
        return images
    return images * (1 - amount) if change == "fade" else images


def figures_of(pair: Pair, seed: int) -> dict[str, np.ndarray]:
    """Everything that is shown.

    Returns:
        ``curves`` (4, K), ``frechet`` (), ``kid`` (2,), ``precision`` and ``recall`` of the PRD curve, ``map_real`` and
        ``map_fake`` (·, 2) on the real set's first two principal axes, ``fake_at`` and ``real_at`` (see `Manifolds`);
        of images also ``invented`` (generated ones that are covered last), ``missed`` (real ones that are covered
        last) and ``typical`` (generated ones that are covered first), each (≤ 24, H, W) or (≤ 24, H, W, 3) uint8.

    Raises:
        DataError: when a set is too small.
    """
    x, y = pair.embedded_real, pair.embedded_fake
    k_max = max(1, min(K_MAX, len(x) - 1, len(y) - 1))
    curve, found = prdc_curve(x, y, k_max), covering(x, y, k_max)
    prd, kernel = prd_curve(x, y, clusters=min(20, len(x)), runs=5, seed=seed), kid(x, y, seed=seed)
    plane = fitted_space(torch.from_numpy(x), "pca", network="", components=2)
    arrays = {
        "curves": np.stack([curve.precision, curve.recall, curve.density, curve.coverage]),
        "frechet": np.array(frechet_distance(x, y)), "kid": np.array([kernel.value, kernel.error]),
        "precision": prd.precision, "recall": prd.recall,
        "map_real": _two(plane(torch.from_numpy(x))), "map_fake": _two(plane(torch.from_numpy(y))),
        "fake_at": found.fake_at.astype(np.int32), "real_at": found.real_at.astype(np.int32),
    }  # fmt: skip
    if pair.real.ndim == 4:
        last_fake, last_real = (np.argsort(-at, kind="stable")[:SHOWN] for at in (found.fake_at, found.real_at))
        first = np.argsort(found.fake_at, kind="stable")[:SHOWN]
        arrays |= {
            "invented": _bytes(pair.fake[last_fake]), "missed": _bytes(pair.real[last_real]),
            "typical": _bytes(pair.fake[first]),
        }  # fmt: skip
    return arrays


def _two(plane: np.ndarray) -> np.ndarray:
    """(N, 2), also where all points lie on a line: (N, 1 or 2)."""
    return plane if plane.shape[1] == 2 else np.pad(plane, ((0, 0), (0, 1)))


def _bytes(images: Tensor) -> np.ndarray:
    """(N, H, W) or (N, H, W, 3) uint8."""
    array = (255 * images.clamp(0, 1)).round().byte().permute(0, 2, 3, 1).numpy()
    return array[..., 0] if array.shape[-1] == 1 else array


def set_checks(pair: Pair, k: int) -> list[Check]:
    """The chunked numbers on these very sets, against all pairs in float64."""
    x, y = pair.embedded_real[:MOST], pair.embedded_fake[:MOST]
    k = min(k, len(x) - 1, len(y) - 1)
    found, expected = prdc(x, y, k), exhaustive(x, y, k)
    source = f"all pairs, float64, k = {k}"
    checks = [
        Check(name, getattr(found, name), getattr(expected, name), 1e-12, "tolerance", "", source) for name in NAMES
    ]
    copies = prdc(x, x, k).precision
    itself = frechet_distance(x, x)
    return [
        *checks,
        Check("precision of copies", copies, 1.0, 0.0, "tolerance", "", "definition", "the real set as generated"),
        Check(
            "Fréchet distance to itself", itself, 0.0, 1e-6 * max(1.0, float(x.var())), "tolerance", "", "definition"
        ),
    ]
