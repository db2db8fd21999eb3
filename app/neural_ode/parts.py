"""The page's parts, one at a time, so that each has the whole room: a switch at the top, kept in the link."""

from __future__ import annotations

from app.furniture import switch

PART = "part"
PARTS = {
    "residual": "Residual = Euler", "nets": "Trained nets", "solvers": "Solvers", "adjoint": "Adjoint",
    "learn": "A neural ODE learns",
}  # fmt: skip


def parts() -> None:
    """Draw the switch and the part that it names; only that one is imported, so that the page opens at once."""
    part = switch("Part", PARTS, key=PART, default="residual")
    if part == "nets":
        from app.neural_ode.nets import nets

        nets()
    elif part == "solvers":
        from app.neural_ode.solvers import solvers

        solvers()
    elif part == "adjoint":
        from app.neural_ode.adjoint import adjoint

        adjoint()
    elif part == "learn":
        from app.neural_ode.learn import learn

        learn()
    else:
        from app.neural_ode.residual import residual

        residual()
