"""Codes: the exact search, the whole quantiser, drawing with a cache, live training, what the browser asks for.

Peers that are not installed have no row: vector-quantize-pytorch, faiss-cpu.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.measure import Row, timed
from benchmarks.vqvae_peers import bare_product, by_cdist, expanded, faiss_search, lucidrains
from dgm_core.metrics.patch_baselines import constant_patches, whole_patches
from dgm_core.nn.causal_transformer import CausalTransformer
from dgm_core.nn.code_model import CodeModel
from dgm_core.nn.nearest import nearest_code
from dgm_core.nn.pixelcnn import PixelCNN
from dgm_core.nn.pixelsnail import PixelSNAIL
from dgm_core.nn.threads import alone
from dgm_core.nn.vector_quantiser import VectorQuantizer
from dgm_core.training.averaged_adam import cosine
from dgm_core.vqvae.atlas import chart_codes
from dgm_core.vqvae.browse import browse, decode, drop, repaint
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.model import QuantisedAutoencoder
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.prior_law import HierarchicalLaw
from dgm_core.vqvae2.sampling import draw_hierarchy

ROWS, SIZE = 65_536, 64
MOMENTS = (2, 5, 10, 20, 30)
"""Seconds of training after which images are looked at."""
QUOTED: tuple[dict[str, Any], ...] = (
    {}, {"codes": 16}, {"start": "random", "patience": 0}, {"quantiser": "fsq"}, {"patch": 8}, {"beta": 0.0},
)  # fmt: skip
"""What the page's predictions tell, over `SEEDS`."""
SEEDS = (0, 1, 2)
VARIANTS: tuple[dict[str, Any], ...] = (
    *({**changes, "seed": seed} for changes in QUOTED for seed in SEEDS),
    {"codes": 4096}, {"gradient": "rotation"}, {"codebook": "loss"}, {"distance": "cosine"},
)  # fmt: skip
LEVEL_VARIANTS: tuple[dict[str, Any], ...] = ({}, {"codes": 16}, {"level_dropout": 0.0})


def search_rows(codes: int, *, quick: bool) -> list[Row]:
    """65,536 vectors of 64 numbers: the search alone, then forward + backward with running means."""
    generator = torch.Generator().manual_seed(0)
    z, codebook = torch.randn(ROWS, SIZE, generator=generator), torch.randn(codes, SIZE, generator=generator)
    repeats = 2 if quick else 5
    products = [
        bare_product(z, codebook, rows, spreading=way) for rows in (512, 1024, 2048, 8192) for way in (False, True)
    ]
    # In turn, and the least of each: what else the machine does slows both, or neither.
    rounds = [(*(timed(work, 1)[0] for work in products), timed(lambda: nearest_code(z, codebook), 1)[0])
              for _ in range(repeats + 2)]  # fmt: skip
    *least, ours = (min(seconds) for seconds in zip(*rounds, strict=True))
    product = min(least)
    works: list[tuple[str, Callable[[], object] | None]] = [
        ("search: torch.cdist + argmin", lambda: by_cdist(z, codebook)),
        ("search: expanded, as rosinality's", lambda: expanded(z, codebook)),
        ("search: faiss IndexFlatL2", faiss_search(z, codebook)),
        ("forward: vector-quantize-pytorch", lucidrains(z, codes, training=False)),
        ("forward + backward, EMA: ours", _ours(z, codes)),
        ("forward + backward, EMA: vector-quantize-pytorch", None if quick else lucidrains(z, codes, training=True)),
    ]
    rows: list[Row] = [
        {"way": "bare product, best blocks", "ms": 1e3 * product, "× product": 1.0},
        {"way": "search: ours (goal: 2.5)", "ms": 1e3 * ours, "× product": ours / product},
    ]
    for title, work in works:
        if work is not None:
            seconds = timed(work, repeats)[0]
            rows.append({"way": title, "ms": 1e3 * seconds, "× product": seconds / product})
    exact = torch.cat([(rows[:, None] - codebook.double()[None]).square().sum(-1).argmin(1)
                       for rows in z[:2048].double().split(64)])  # fmt: skip
    rows[1]["wrong of 2,048"] = int((nearest_code(z[:2048], codebook) != exact).sum())
    return rows


def drawing_rows() -> list[Row]:
    """64 maps of 8 × 8 codes out of 256: with what is kept from before, and by a run of the model for every code."""
    models: list[tuple[str, CodeModel]] = [
        ("causal transformer, 3 blocks of 64", CausalTransformer(256, (8, 8), generator=_seeded())),
        ("gated PixelCNN, 3 layers of 64", PixelCNN(256, (8, 8), width=64, depth=3, generator=_seeded())),
        ("PixelSNAIL, 3 layers of 64", PixelSNAIL(256, (8, 8), width=64, depth=3, generator=_seeded())),
    ]
    rows: list[Row] = []
    for title, model in models:
        with alone():
            cached = timed(partial(_drawn, model, cached=True), 3)[0]
            whole = timed(partial(_drawn, model, cached=False), 1)[0]
        rows.append({"law": title, "kept s": cached, "whole s": whole, "× faster (goal: 8)": whole / cached})
    return rows


def hierarchy_rows() -> list[Row]:
    """64 images' codes, level by level, by the laws of VQ-VAE-2's second stage as they are by default."""
    rows: list[Row] = []
    for title, grids in (("2 × 2, 4 × 4", ((2, 2), (4, 4))), ("4 × 4, 8 × 8", ((4, 4), (8, 8)))):
        law = HierarchicalLaw([256] * len(grids), grids, width=32, depth=4, reach=1, generator=_seeded()).eval()
        with alone():
            cached, whole = (
                timed(partial(_drawn_levels, law, cached=way), 2 if way else 1)[0] for way in (True, False)
            )
        rows.append({"grids": title, "kept s": cached, "whole s": whole, "× faster": whole / cached})
    return rows


def training_rows(*, quick: bool) -> list[Row]:
    """Default training on shapes of 32 × 32: PSNR on held-out images after so many seconds of training alone."""
    experiment = VQVAE()
    model, images = experiment.build(), experiment.images()
    train, test = torch.tensor(images.train), torch.tensor(images.test)
    rate = math.prod(model.grid) * math.log2(experiment.codes)
    rows: list[Row] = [
        {"what": f"{rate:.0f} bits an image: constant patches", "PSNR": constant_patches(train, test, 4, 256)},
        {"what": f"{rate:.0f} bits an image: whole patches by k-means", "PSNR": whole_patches(train, test, 4, 256)},
    ]
    loop = experiment._loop(model, torch.device("cpu"))
    moments, spent, step = list(MOMENTS[:2] if quick else MOMENTS), 0.0, 0
    while moments and step < experiment.steps:
        start = time.perf_counter()
        loop.objective(step)
        loop.optimiser.step(experiment.learning_rate * cosine(step, experiment.steps, 50))
        spent, step = spent + time.perf_counter() - start, step + 1
        if spent >= moments[0] or step == experiment.steps:
            moments.pop(0)
            figures, _ = loop.snapshot.look(loop.optimiser.average.clone(), step, last=True)
            rows.append({
                "what": f"after {spent:.1f} s, {step:,} steps", "PSNR": figures["psnr"],
                "perplexity (set)": figures["perplexity"], "used": figures["used"],
                "images/s": step * experiment.batch / spent,
            })  # fmt: skip
    return rows


def variant_rows() -> list[Row]:
    """The default model with one thing changed, trained to its end, over seeds where the page's predictions tell it."""
    rows: list[Row] = []
    for changes in VARIANTS:
        experiment = VQVAE(**changes)
        start = time.perf_counter()
        *_, last = experiment.train(experiment.build(), torch.device("cpu"))
        names = ("psnr", "perplexity", "used", "commitment")
        rows.append({"changed": ", ".join(f"{name} {value}" for name, value in changes.items()) or "nothing",
                     "s": time.perf_counter() - start, **{name: last.metrics[name] for name in names}})  # fmt: skip
    return rows


def level_rows() -> list[Row]:
    """The default hierarchy, and what the page's predictions change in it, trained to its end."""
    rows: list[Row] = []
    for changes in LEVEL_VARIANTS:
        experiment = VQVAE2(**changes)
        start = time.perf_counter()
        *_, last = experiment.train(experiment.build(), torch.device("cpu"))
        names = [f"{name}_{level}" for level in (1, 2) for name in ("psnr", "perplexity", "bits")]
        rows.append({"changed": ", ".join(f"{name} {value}" for name, value in changes.items()) or "nothing",
                     "s": time.perf_counter() - start, **{name: last.metrics[name] for name in names}})  # fmt: skip
    return rows


def browsing_rows() -> list[Row]:
    """K = 512, 5,000 images of 32 × 32: what the browser asks for, in milliseconds."""
    experiment = VQVAE(codes=512, steps=10)
    model = experiment.fit("cpu")
    assert isinstance(model, QuantisedAutoencoder)
    images = np.concatenate([experiment.images().train, experiment.images().test])[:5_000]
    found = browse(model, images[:48])
    works: list[tuple[str, Callable[[], object]]] = [
        ("48 images: maps, distances, what comes back", lambda: browse(model, images[:48])),
        (
            "repaint a code, decode (goal: 100)",
            lambda: decode(model, repaint(found.codes[0], np.array([[3, 3]]), 7)[None]),
        ),
        ("drop a code, decode 48 images", lambda: decode(model, drop(model, found.outputs, [7]))),
        ("atlas of 5,000 images", lambda: chart_codes(model, images)),
    ]
    with alone():
        return [{"what": title, "ms": 1e3 * timed(work, 3)[0]} for title, work in works]


def tables(*, quick: bool = False, full: bool = False) -> dict[str, list[Row]]:
    """All tables by title.

    Args:
        quick: fewer repeats, no slow peers, ten seconds of training.
        full: also the variants of the default model, half a minute each.
    """
    found = {f"Nearest code: {ROWS:,} vectors of {SIZE}, K = {codes:,}": search_rows(codes, quick=quick)
             for codes in (512, 4096)}  # fmt: skip
    found["64 maps of 8 × 8 codes"] = drawing_rows()
    found["64 images of several levels' codes"] = hierarchy_rows()
    found["Training on shapes, 32 × 32, one thread"] = training_rows(quick=quick)
    found["What the browser asks for"] = browsing_rows()
    if full:
        found["One thing changed"] = variant_rows()
        found["One thing changed in a hierarchy"] = level_rows()
    return found


def _ours(z: Tensor, codes: int) -> Callable[[], object]:
    quantiser = VectorQuantizer(codes, SIZE, generator=_seeded())

    def work() -> bool:
        rows = z.detach().requires_grad_(True)
        found = quantiser(rows)
        (found.values.square().mean() + found.loss).backward()
        quantiser.observe(rows, found.indices)
        return True

    return work


def _drawn(model: CodeModel, *, cached: bool) -> Tensor:
    return model.eval().draw(64, generator=_seeded(), keep=False, cached=cached).codes


def _drawn_levels(law: HierarchicalLaw, *, cached: bool) -> tuple[Tensor, ...]:
    return draw_hierarchy(law, 64, generator=_seeded(), keep=False, cached=cached).codes


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)
