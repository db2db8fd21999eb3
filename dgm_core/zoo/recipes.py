"""What is shipped: each checkpoint's name and the Experiment that makes it."""

from __future__ import annotations

from dgm_core.cnf.experiment import DensityFlow
from dgm_core.experiment import Experiment
from dgm_core.gumbel.experiment import DiscreteVAE
from dgm_core.neural_ode.classification import FlowClassifier
from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.precision_recall.embedding import ImageClassifier
from dgm_core.vqvae.experiment import VQVAE
from dgm_core.vqvae.prior import CodePrior
from dgm_core.vqvae2.experiment import VQVAE2
from dgm_core.vqvae2.prior import HierarchicalPrior

# Sharp targets take more steps. Whoever goes from one shipped flow to another target is led to its recipe.
RECIPES: dict[str, Experiment] = {
    "cnf-8gaussians": DensityFlow(),
    "cnf-25gaussians": DensityFlow(target="25gaussians"),
    "cnf-moons": DensityFlow(target="moons"),
    "cnf-circles": DensityFlow(target="circles"),
    "cnf-rings": DensityFlow(target="rings", steps=24_000),
    "cnf-checkerboard": DensityFlow(target="checkerboard", steps=24_000),
    "cnf-pinwheel": DensityFlow(target="pinwheel"),
    "cnf-2spirals": DensityFlow(target="2spirals", steps=24_000),
    "cnf-swissroll": DensityFlow(target="swissroll"),
    "cnf-photo-china": DensityFlow(target="photo-china"),
    "cnf-photo-flower": DensityFlow(target="photo-flower"),
    "cnf-word-flow": DensityFlow(target="word"),
    "cnf-8gaussians-likelihood": DensityFlow(objective="likelihood", steps=600),
    "cnf-8gaussians-coarse": DensityFlow(objective="likelihood", solver_steps=4, steps=600),
    "cnf-8gaussians-hutchinson": DensityFlow(objective="likelihood", trace="rademacher", steps=600),
    "cnf-8gaussians-planar-cnf": DensityFlow(model="planar-cnf"),
    "cnf-8gaussians-planar": DensityFlow(model="planar"),
    "gumbel-digits": DiscreteVAE(),
    "gumbel-digits-learned": DiscreteVAE(schedule="learned"),
    "gumbel-digits-hot": DiscreteVAE(schedule="fixed", tau=5.0),
    "gumbel-digits-one": DiscreteVAE(latents=1),
    "gumbel-digits-reinmax": DiscreteVAE(estimator="reinmax"),
    "gumbel-mnist": DiscreteVAE(dataset="mnist", latents=20, width=112, steps=12_000),
    "vqvae-digits": VQVAE(dataset="digits", codes=64, dimension=8, patch=2, width=32, steps=4_000),
    "vqvae-mnist": VQVAE(dataset="mnist", codes=128, steps=4_000),
    "vqvae-cifar10": VQVAE(dataset="cifar10", codes=512, steps=6_000),
    "vqvae-photos": VQVAE(dataset="photos", codes=512, steps=6_000),
    "vqvae-shapes": VQVAE(),
    "vqvae-shapes-collapsed": VQVAE(start="random", patience=0),
    "vqvae-shapes-prior": CodePrior(at=8_398_114),  # `fingerprint("vqvae-shapes")`: the weights whose codes it knows
    "vqvae2-shapes": VQVAE2(),
    "vqvae2-shapes-prior": HierarchicalPrior(at=8_870_216),  # `fingerprint("vqvae2-shapes")`, as above
    "vqvae2-shapes-3": VQVAE2(levels=3, patch=2, codes=128, width=32),
    "vqvae2-shapes-paper": VQVAE2(level_dropout=0.0),
    "vqvae2-photos": VQVAE2(dataset="photos", width=32),
    "vqvae2-cifar10": VQVAE2(dataset="cifar10", width=32),
    "vqvae2-digits": VQVAE2(dataset="digits", codes=64, dimension=8, patch=2, width=24),
    "vqvae2-digits-prior": HierarchicalPrior(source="zoo:vqvae2-digits", at=1_046_967, width=16, depth=2, steps=500),
    "precision_recall-digits": ImageClassifier(),
    "precision_recall-mnist": ImageClassifier(dataset="mnist", steps=1500),
    "precision_recall-shapes": ImageClassifier(dataset="shapes", steps=1500),
    "neural_ode-cubic": NeuralODE(),
    "neural_ode-spiral": NeuralODE(system="spiral"),
    "neural_ode-lotka-volterra": NeuralODE(system="lotka-volterra"),
    "neural_ode-cubic-one-segment": NeuralODE(segments=1),
    "neural_ode-circles": FlowClassifier(),
    "neural_ode-circles-added": FlowClassifier(added=1),
    "neural_ode-circles-long": FlowClassifier(layers=12, steps=2_000),
    "neural_ode-circles-added-long": FlowClassifier(added=1, layers=12, steps=2_000),
    "neural_ode-circles-euler": FlowClassifier(solver="euler", layers=3),
    "neural_ode-circles-resnet": FlowClassifier(model="resnet"),
    "neural_ode-moons": FlowClassifier(task="moons"),
    "neural_ode-moons-resnet": FlowClassifier(task="moons", model="resnet"),
    "neural_ode-spirals": FlowClassifier(task="spirals"),
    "neural_ode-spirals-added": FlowClassifier(task="spirals", added=1),
    "neural_ode-spirals-resnet": FlowClassifier(task="spirals", model="resnet"),
}
