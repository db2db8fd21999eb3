"""Continuous normalizing flows: fields, flows, their training, films of p_t, and what can be checked about them."""

from dgm_core.cnf.experiment import DensityFlow
from dgm_core.cnf.film import density_film
from dgm_core.cnf.flow import ContinuousFlow
from dgm_core.cnf.planar import PlanarFlow

__all__ = ["ContinuousFlow", "DensityFlow", "PlanarFlow", "density_film"]
