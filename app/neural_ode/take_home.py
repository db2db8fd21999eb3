"""What one takes home from a trained model of this topic: its files, and the code that makes its picture."""

from __future__ import annotations

import csv
import io

import numpy as np

from app import trained as store
from app.furniture import Export
from app.neural_ode.passages import passage_of
from app.takeaway import metrics_csv, weights
from app.trained import Trained
from dgm_core.neural_ode.fitting import Fit


def classifier_exports(shown: Trained) -> list[Export]:
    """Hidden states, figures of the training, weights."""
    passage, name = passage_of(shown), name_of(shown)
    states = [] if passage is None else [
        Export("Hidden states (NPZ)", f"{name}.npz", "application/octet-stream",
               lambda: npz(times=passage.times, states=passage.states, labels=passage.labels, surface=passage.surface)),
    ]  # fmt: skip
    return [*states, *of_training(shown)]


def fit_exports(shown: Trained, fit: Fit | None) -> list[Export]:
    """Curves, figures of the training, weights."""
    name = name_of(shown)
    curves = [] if fit is None else [
        Export("Curves (CSV)", f"{name}-curves.csv", "text/csv", lambda: curves_csv(fit)),
        Export("Curves (NPZ)", f"{name}.npz", "application/octet-stream",
               lambda: npz(times=fit.times, curve=fit.curve, linear=fit.linear, arrows=fit.arrows, seen=fit.seen)),
    ]  # fmt: skip
    return [*curves, *of_training(shown)]


def of_training(shown: Trained) -> list[Export]:
    """Figures of the training, weights."""
    model, figures, name = store.model(shown), store.metrics(shown), name_of(shown)
    return [
        Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures)),
        Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(model, shown)),
    ]


def name_of(shown: Trained) -> str:
    """For its files."""
    return f"{shown.experiment.topic}-{shown.experiment.key[:8]}"


def npz(**arrays: np.ndarray) -> bytes:
    """Named arrays as NPZ."""
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def curves_csv(fit: Fit) -> bytes:
    """t, then the fitted and the linear field's variables."""
    count = fit.curve.shape[1]
    head = ["t", *(f"x{d + 1}" for d in range(count)), *(f"linear_x{d + 1}" for d in range(count))]
    return table_csv(head, np.column_stack([fit.times, fit.curve, fit.linear]))


def table_csv(head: list[str], rows: np.ndarray) -> bytes:
    """A table as CSV; a cell is empty where there is no number.

    Example:
        >>> table_csv(["t", "z"], np.array([[0.0, 1.0], [0.5, np.nan]])).decode().split()
        ['t,z', '0,1', '0.5,']
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow(["" if np.isnan(value) else f"{value:.10g}" for value in row])
    return out.getvalue().encode()


def classifier_code(shown: Trained) -> str:
    """Python that follows held-out points through the model."""
    first = "from dgm_core import zoo" if shown.source == "shipped" else (
        "from dgm_core.neural_ode.classification import FlowClassifier"
    )  # fmt: skip
    declared = f'zoo.experiment("{shown.name}")' if shown.source == "shipped" else declaration(shown)
    return f"""{first}
from dgm_core.neural_ode.passage import passage_of
import plotly.express as px

{shown.code("model")}
passage = passage_of(model, {declared}.held_out())   # passage.states: (T, N, D)
print("smallest determinant of dz(1)/dz(0)", passage.determinant[-1].min())
end = passage.states[-1]
px.scatter(x=end[:, 0], y=end[:, 1], color=passage.labels.astype(str)).write_html("hidden.html")
"""


def fit_code(shown: Trained) -> str:
    """Python that draws a fit and prints its errors."""
    first = "from dgm_core import zoo" if shown.source == "shipped" else (
        "from dgm_core.neural_ode.experiment import NeuralODE"
    )  # fmt: skip
    declared = f'zoo.experiment("{shown.name}")' if shown.source == "shipped" else declaration(shown)
    return f"""{first}
from dgm_core.neural_ode.fitting import fit_of
import plotly.express as px

{shown.code("model")}
fit = fit_of(model, {declared}.fit_data())   # fit.curve: (P, D) at fit.times
print({{name: round(value, 4) for name, value in fit.errors.items()}})
px.line(x=fit.times, y=fit.curve.T.tolist()).write_html("fit.html")
"""


def declaration(shown: Trained) -> str:
    """The experiment as Python."""
    changed = shown.experiment.differences(type(shown.experiment)())
    fields = ", ".join(f"{name}={mine!r}" for name, (mine, _) in changed.items())
    return f"{type(shown.experiment).__name__}({fields})"
