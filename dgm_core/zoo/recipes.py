"""What is shipped: each checkpoint's name and the Experiment that makes it."""

from __future__ import annotations

from dgm_core.cnf.experiment import DensityFlow

# Whoever chooses another target and nothing else finds it trained: those recipes differ in the target alone.
RECIPES: dict[str, DensityFlow] = {
    "cnf-8gaussians": DensityFlow(),
    "cnf-25gaussians": DensityFlow(target="25gaussians"),
    "cnf-moons": DensityFlow(target="moons"),
    "cnf-circles": DensityFlow(target="circles"),
    "cnf-rings": DensityFlow(target="rings"),
    "cnf-checkerboard": DensityFlow(target="checkerboard"),
    "cnf-pinwheel": DensityFlow(target="pinwheel"),
    "cnf-2spirals": DensityFlow(target="2spirals"),
    "cnf-swissroll": DensityFlow(target="swissroll"),
    "cnf-photo-china": DensityFlow(target="photo-china"),
    "cnf-photo-flower": DensityFlow(target="photo-flower"),
    "cnf-word-flow": DensityFlow(target="word"),
    "cnf-8gaussians-likelihood": DensityFlow(objective="likelihood", steps=600),
    "cnf-8gaussians-coarse": DensityFlow(objective="likelihood", solver_steps=4, steps=600),
    "cnf-8gaussians-hutchinson": DensityFlow(objective="likelihood", trace="rademacher", steps=600),
    "cnf-8gaussians-planar-cnf": DensityFlow(model="planar-cnf"),
    "cnf-8gaussians-planar": DensityFlow(model="planar"),
}
