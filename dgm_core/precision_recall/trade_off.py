"""The four numbers of a trained generator of images, against its knob: what fidelity costs in diversity."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from dgm_core import sources
from dgm_core.checks import Check, write_checks
from dgm_core.data.images import ImageSet
from dgm_core.declaration import extra
from dgm_core.errors import DataError
from dgm_core.experiment import Progress, Training, TrainingFailedError
from dgm_core.generators import ImageGenerator, Knob
from dgm_core.metrics import expected_coverage, frechet_distance, prdc
from dgm_core.precision_recall.checks import NAEEM, NAMES
from dgm_core.precision_recall.curve_checks import widened
from dgm_core.precision_recall.curves import LOOKED_AT, apart, joined
from dgm_core.precision_recall.intervals import intervals
from dgm_core.precision_recall.spaces import NETWORK_PATTERN, SPACES, SpaceName, fitted_space
from dgm_core.views import ModelView, Viewed

SHOWN = 24
"""Generated images that are kept at each place; a third as many real ones stand beside them."""
SPLITS = 8
"""Random splits of the real images in two sets, of which one plays the generator."""


class TradeOff(ModelView):
    """Precision, recall, density and coverage of a generator at several places of its knob.

    Previews, a place at a time: ``x`` (1,) the place; ``values``, ``low``, ``high`` (1, 4) the four numbers with
    bootstrap intervals; ``frechet`` (1,); ``apart`` (1,) by how much the numbers of the first points differ from
    those of all pairs in float64; ``images`` (1, `SHOWN`, C, H, W) uint8, the same noise at every place; and in each
    ``real`` (1, `SHOWN` / 3, C, H, W), ``reference`` (1, `SPLITS`, 4) the numbers of real images against other real
    images, and ``sizes`` (1, 3): real and generated images compared, and those in either set of a split.
    Artifacts: ``figures``, an NPZ of all of that joined; ``checks``.
    """

    topic: ClassVar[str] = "precision_recall"

    source: Annotated[
        str,
        Field(
            pattern=sources.PATTERN, title="Generator", description="zoo:NAME or run:ID of a model that draws images.",
            json_schema_extra=extra(basic=True),
        ),
    ] = "zoo:vqvae-shapes-prior"  # fmt: skip
    embed: Annotated[
        SpaceName,
        Field(
            title="Embedding", description="In which space distances are taken.",
            json_schema_extra=extra(basic=True, labels=SPACES),
        ),
    ] = "pca"  # fmt: skip
    components: Annotated[
        int,
        Field(
            ge=1, le=512, title="Components", description="Principal components of the real images that are kept.",
            json_schema_extra=extra(basic=True, log=True, when={"embed": ("pca",)}),
        ),
    ] = 32  # fmt: skip
    network: Annotated[
        str,
        Field(
            pattern=NETWORK_PATTERN, title="Network",
            description="zoo:NAME, run:ID of a classifier that was trained here, file:NAME of weights of your own.",
            json_schema_extra=extra(basic=True, when={"embed": ("classifier",)}),
        ),
    ] = "zoo:precision_recall-shapes"  # fmt: skip
    n: Annotated[
        int,
        Field(
            ge=30, le=5_000, title="Images n", description="Generated at each place, and held-out ones at most.",
            json_schema_extra=extra(basic=True, log=True),
        ),
    ] = 1_000  # fmt: skip
    k: Annotated[
        int,
        Field(
            ge=1, le=25, title="Neighbours k", description="That set a ball's radius.",
            json_schema_extra=extra(basic=True),
        ),
    ] = 5  # fmt: skip
    count: Annotated[
        int,
        Field(
            ge=3, le=33, title="Places", description="On the knob, evenly spread.", json_schema_extra=extra(),
        ),
    ] = 9  # fmt: skip
    seed: Annotated[
        int, Field(ge=0, le=999_999, title="Seed", description="Of noise and choices.", json_schema_extra=extra())
    ] = 0

    def train(self, model: nn.Module, device: torch.device, resume: Mapping[str, Tensor] | None = None) -> Training:
        """Measure place by place.

        Raises:
            TrainingFailedError: when the model draws no images, or the real ones are not there.
        """
        assert isinstance(model, Viewed)
        try:
            generator = _generator(model.declaration, self.source)
            places, previews = self.places(generator.knob), []
            for place, arrays in zip(places, self._measured(generator, model.subject, places), strict=True):
                previews.append(arrays)
                yield Progress(len(previews), len(places), {"at": place}, arrays)
        except DataError as error:
            raise TrainingFailedError(str(error)) from error
        found, out = joined([dict(arrays) for arrays in previews]), io.BytesIO()
        np.savez_compressed(out, **found)  # type: ignore[arg-type]
        checks = trade_off_checks(self, found)
        model.made.update({"figures": out.getvalue(), "checks": write_checks(checks)})

    def places(self, knob: Knob) -> tuple[float, ...]:
        """Where on the knob it is measured: evenly spread, and where the model draws from its own law.

        Example:
            >>> TradeOff(count=3).places(Knob("truncation ψ", 0.0, 1.0, 0.7))
            (0.0, 0.5, 0.7, 1.0)
        """
        even = np.linspace(knob.low, knob.high, self.count)
        plain = [] if np.isclose(even, knob.plain).any() else [knob.plain]
        return tuple(sorted(round(float(place), 6) for place in (*even, *plain)))

    def _measured(
        self, generator: ImageGenerator, model: nn.Module, places: tuple[float, ...]
    ) -> Iterator[dict[str, np.ndarray]]:
        images = generator.real()
        real = floats(chosen(images.test, self.n, self.seed))
        reference, each = self._reference(images)
        embed = self._space(real)
        x = embed(real)
        fixed = {"real": as_bytes(real[: SHOWN // 3])[None], "reference": reference[None]}
        for place in places:
            drawn = generator.generate(model, self.n, place, torch.Generator().manual_seed(self.seed))
            y = embed(floats(drawn))
            values, low, high = intervals(x, y, self.k, seed=self.seed)
            yield {
                **fixed, "x": np.array([place]), "values": values[None], "low": low[None], "high": high[None],
                "frechet": np.array([frechet_distance(x, y)]), "apart": np.array([apart(x, y, self.k)]),
                "images": drawn[None, :SHOWN], "sizes": np.array([[len(x), len(y), each]]),
            }  # fmt: skip

    def _space(self, real: Tensor) -> Callable[[Tensor], np.ndarray]:
        return fitted_space(real, self.embed, network=self.network, components=self.components)

    def _reference(self, images: ImageSet) -> tuple[np.ndarray, int]:
        """(`SPLITS`, 4), and how many images either set of a split has: what no generator can be expected to pass."""
        pool = chosen(np.concatenate([images.train, images.test]), 2 * min(self.n, len(images.test)), self.seed)
        half, rows = len(pool) // 2, []
        for split in range(SPLITS):
            order = np.random.default_rng([self.seed, split]).permutation(len(pool))
            real, other = floats(pool[order[:half]]), floats(pool[order[half : 2 * half]])
            embed = self._space(real)
            found = prdc(embed(real), embed(other), self.k)
            rows.append([getattr(found, name) for name in NAMES])
        return np.array(rows), half


def _generator(declaration: Any, source: str) -> ImageGenerator:
    if not isinstance(declaration, ImageGenerator):
        raise DataError(f"The model {source} draws no images.")
    return declaration


def chosen(images: np.ndarray, most: int, seed: int) -> np.ndarray:
    """At most so many images, drawn without repeating: (N, C, H, W) → (≤ most, C, H, W)."""
    picked: np.ndarray = images[np.sort(np.random.default_rng(seed).permutation(len(images))[:most])]
    return picked


def floats(images: np.ndarray) -> Tensor:
    """Bytes as numbers in [0, 1], float32, of the same shape."""
    return torch.from_numpy(images.copy()).float().div_(255)


def as_bytes(images: Tensor) -> np.ndarray:
    """Numbers in [0, 1] as bytes, of the same shape."""
    made: np.ndarray = (255 * images.clamp(0, 1)).round().byte().numpy()
    return made


class Reference(NamedTuple):
    """What real images get when they play the generator.

    Args:
        mean: (4,), over the splits.
        error: (4,), its standard error.
    """

    mean: np.ndarray
    error: np.ndarray


def reference_of(found: Mapping[str, np.ndarray]) -> Reference:
    """Mean and standard error over the splits."""
    rows = found["reference"][0]
    return Reference(rows.mean(0), rows.std(0, ddof=1) / np.sqrt(len(rows)))


def trade_off_checks(asked: TradeOff, found: Mapping[str, np.ndarray]) -> list[Check]:
    """A second computation of the numbers; and what theory expects where real images play the generator.

    Given the pool, every split is equally likely, so density has mean 1 and coverage its closed form, exactly.

    Args:
        asked: what was measured.
        found: see `TradeOff`.
    """
    note = f"largest difference over the places, first {LOOKED_AT} of each set"
    same = Check("all four numbers", float(found["apart"].max()), 0.0, 1e-12, "at most", "", "all pairs, float64", note)
    half, reference = int(found["sizes"][0, 2]), reference_of(found)
    expected = {"density": 1.0, "coverage": expected_coverage(half, half, asked.k)}
    note = f"{SPLITS} random splits of {2 * half:,} real images"
    return [same] + [
        Check(
            f"{name}, real images as generated", float(reference.mean[NAMES.index(name)]), value,
            max(widened(float(reference.error[NAMES.index(name)]), SPLITS), 1e-9), "standard error", "", NAEEM, note,
        )
        for name, value in expected.items()
    ]  # fmt: skip
