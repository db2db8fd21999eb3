"""Neural ODEs: from residual blocks to a solver, and back by the adjoint."""

from app.furniture import page_header
from app.neural_ode.parts import parts

page_header(
    "What is a network of infinitely many layers?",
    r"z_{l+1} = z_l + \tfrac1L f(z_l, \theta) \;\xrightarrow{L \to \infty}\; \frac{dz}{dt} = f(z(t), t, \theta)",
    {"z_l": ("model", "after block $l$"), "z(t)": ("muted", "the flow")},
)
parts()
