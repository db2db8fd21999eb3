"""How good a flow is and what it cost, in one line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def figures_line(metrics: Mapping[str, np.ndarray]) -> str:
    """The last figures of a training as one line of text.

    Args:
        metrics: series by name, NaN where a figure was not measured.

    Example:
        >>> figures_line({"nll": np.array([3.0, 2.5]), "gap": np.array([0.6, 0.1]), "seconds": np.array([1.0, 2.0])})
        'NLL 2.500 nats · gap to the entropy 0.100 nats · 2.0 s'
    """
    last = {name: float(kept[-1]) for name, values in metrics.items() if len(kept := values[~np.isnan(values)])}
    parts = [f"NLL {last['nll']:.3f} nats"] if "nll" in last else []
    parts += [f"gap to the entropy {last['gap']:.3f} nats"] if "gap" in last else []
    parts += [f"NFE {last['nfe']:.0f} a step"] if "nfe" in last else []
    parts += [f"{1000 * last['seconds_per_step']:.2f} ms a step"] if "seconds_per_step" in last else []
    parts += [f"{last['seconds']:.1f} s"] if "seconds" in last else []
    return " · ".join(parts)
