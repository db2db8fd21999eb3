"""Neural ODEs: residual layers as Euler steps, solvers and what they do, gradients by the adjoint, and what learns."""

from dgm_core.neural_ode.experiment import NeuralODE
from dgm_core.neural_ode.gradients import Gradients, gradients
from dgm_core.neural_ode.solve import BlowUpError, Solution, solve

__all__ = ["BlowUpError", "Gradients", "NeuralODE", "Solution", "gradients", "solve"]
