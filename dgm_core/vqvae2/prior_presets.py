"""The page's Try sections on the laws of all levels: predictions first, then the shipped laws show it.

Numbers of what is shipped are measured again by a test.
"""

from __future__ import annotations

from dgm_core.presets import Preset

UNIFORM, TOLD = 640, 210
"""Bits of a held-out image's codes: every code equally likely; by the laws."""
ALONE, BOTTOM = 158, 141
"""Bits of the bottom's codes by a law that is told nothing, and by the one that is told the top."""
COLD = 46
"""Bits of the one image that temperature 0 draws, by the laws."""
TYPICAL = 173
"""Mean bits of 64 images that the laws draw at temperature 1."""
COLD_BOTTOM, WARM_BOTTOM = 64, 123
"""Mean bits of the bottom's codes of 64 images drawn with the top at 1, the bottom at 0 or at 1."""

PRIORS: tuple[Preset, ...] = (
    Preset(
        name="all-bits",
        question=f"80 codes of 256 cost {UNIFORM} bits where every code is equally likely. How many by both laws?",
        options=("About 500", "About 210", "About 20"),
        answer=1,
        reveal=f"{TOLD} bits. Most of it is saved within a level: that a code tells its neighbours. See What codes "
        "cost, below.",
        settings={"model": "vqvae2-shapes", "t_top": 1.0, "t_bottom": 1.0},
    ),
    Preset(
        name="told",
        question="The 16 top codes are known. How much cheaper do the 64 bottom codes get?",
        options=("A tenth", "A half", "Nearly free"),
        answer=0,
        reveal=f"{BOTTOM} bits instead of {ALONE}. The bottom's codes tell ground, colour and place themselves, as "
        "the part Mix shows; a law that is told nothing reads them off the first of them.",
        settings={"model": "vqvae2-shapes", "t_top": 1.0, "t_bottom": 1.0},
    ),
    Preset(
        name="cold",
        question="Both levels at temperature 0: each code is the likeliest one. What do eight draws look like?",
        options=("Eight perfect shapes", "Eight times the same speck", "Noise"),
        answer=1,
        reveal=f"One image, again and again: a speck on black, {COLD} bits where a drawn image costs {TYPICAL} on "
        "average. The likeliest image is not a typical one.",
        settings={"model": "vqvae2-shapes", "t_top": 0.0, "t_bottom": 0.0},
    ),
    Preset(
        name="cold-bottom",
        question="Only the bottom at temperature 0, the top at 1. What becomes of eight draws?",
        options=("All look alike", "All differ, in plainer forms", "Nothing changes"),
        answer=1,
        reveal=f"Place, size, ground and colour are the top's choice, so all differ. The bottom costs {COLD_BOTTOM} "
        f"bits instead of {WARM_BOTTOM}: forms lose their ragged edges and their points alike.",
        settings={"model": "vqvae2-shapes", "t_top": 1.0, "t_bottom": 0.0},
    ),
)
"""For the laws; settings are the part's own."""

PRECISION = {0: 1.00, 1: 0.99, 2: 0.98}
RECALL = {0: 0.00, 1: 0.93, 2: 0.79}
"""By temperature: 300 drawn images against 300 held-out ones, in 32 principal components, k = 5."""
NETWORK_RECALL = {1: 0.80, 2: 0.45}
"""The same in the hidden layer of a classifier of shapes."""

DIVERSITY: tuple[Preset, ...] = (
    Preset(
        name="nothing-varies",
        question="Temperature 0: one image, always the same. What are its precision and its recall?",
        options=("Both 0", "Precision 1, recall 0", "Precision 0, recall 1"),
        answer=1,
        reveal=f"Precision {PRECISION[0]:.2f}, recall {RECALL[0]:.2f}. The speck lies among real images, so nothing "
        "about it is wrong; of real images it shows none but its neighbours.",
        settings={"model": "vqvae2-shapes", "t": 0.0, "embed": "pca"},
    ),
    Preset(
        name="hotter",
        question="From temperature 1 to 2: more chance in every code. What happens to recall?",
        options=("It rises", "It falls", "It stays"),
        answer=1,
        reveal=f"It falls from {RECALL[1]:.2f} to {RECALL[2]:.2f}: more noise is not more variety. Precision hardly "
        f"moves, {PRECISION[1]:.2f} to {PRECISION[2]:.2f}: 32 principal components do not see the mottle.",
        settings={"model": "vqvae2-shapes", "t": 2.0, "embed": "pca"},
    ),
    Preset(
        name="other-eyes",
        question="The same images, compared in a network's space and not in principal components. Is 2 as good there?",
        options=("Yes, the numbers are the images'", "No, recall is about half"),
        answer=1,
        reveal=f"Recall {NETWORK_RECALL[2]:.2f} instead of {RECALL[2]:.2f}, at temperature 1 {NETWORK_RECALL[1]:.2f}. "
        "The numbers belong to images and space together.",
        settings={"model": "vqvae2-shapes", "t": 2.0, "embed": "classifier"},
    ),
)
"""For the part Diversity; settings are the part's own and fields of its view."""
