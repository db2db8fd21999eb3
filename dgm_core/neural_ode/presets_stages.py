"""What to try with residual blocks and with solvers: a prediction first, then the page shows it."""

from __future__ import annotations

from dgm_core.presets import Preset

RESIDUAL = (
    Preset(
        "twice",
        "The blocks share their weights. You take 64 instead of 32, each half as large. What becomes of the error?",
        ("Half", "A quarter", "The same: it is the same field"),
        0,
        "Half: blocks are Euler steps, a method of first order. The line in the plot falls with slope −1.",
        {"problem": "vortex", "depth": 32},
    ),
    Preset(
        "outward",
        "On the harmonic oscillator every point runs in a circle. Where do residual blocks take it?",
        ("On the circle", "Inwards", "Outwards"),
        2,
        "Outwards, with every number of blocks: a step goes along the tangent, so |z|² grows by 1 + (t₁/L)² a block.",
        {"problem": "harmonic", "span": 6.0, "depth": 12},
    ),
    Preset(
        "cross",
        "Paths of the flow never cross. May those of a few blocks?",
        ("Never: the field is the same", "Yes, while the blocks are large", "Always"),
        1,
        "With few blocks lines cut across each other; refined, they sort themselves out. So a net of few blocks can do "
        "what no flow can.",
        {"problem": "vortex", "span": 2.0, "points": 200, "depth": 3},
    ),
)
"""Settings are fields of `ResidualDepths`, and ``depth`` for the knob."""

SOLVERS = (
    Preset(
        "border",
        "z′ = −8 z over four units of time with 16 Euler steps: h = ¼, λh = −2. What do the numbers do?",
        ("They die away, like the solution", "They alternate and stay", "They explode"),
        1,
        "R(λh) = 1 + λh = −1: they alternate for ever. With fewer steps they explode, though the solution dies away.",
        {"problem": "linear", "rate": -8.0, "method": "euler", "knob": 8},
    ),
    Preset(
        "stiff",
        "van der Pol with μ = 20 instead of 2, the same tolerance. dopri5's evaluations?",
        ("Fewer: the slow stretches are almost straight", "About as many", "Many more: stability, not accuracy, rules"),
        2,
        "1,898 instead of 770 with tolerance 3 · 10⁻⁵. On the slow stretches a fast decay lies beside the solution; "
        "steps past the border of stability are rejected, however straight the path.",
        {"problem": "van-der-pol", "stiffness": 20.0, "method": "dopri5", "knob": 5},
    ),
    Preset(
        "rejected",
        "Where does dopri5 reject steps on predator and prey?",
        ("Where the orbit bends sharply", "Evenly", "Nowhere"),
        0,
        "A step that was right for the straight stretch is too long for the bend: it is tried, found wanting, and "
        "taken again with a smaller one.",
        {"problem": "lotka-volterra", "method": "dopri5", "knob": 4},
    ),
    Preset(
        "chaos",
        "Lorenz over ten units of time, tolerance 10⁻⁵. How far off is the end?",
        ("By about 10⁻⁵", "By about 10⁻²", "By some units: as far as another orbit"),
        2,
        "By 3.6: an error grows e-fold about every 1.1 units of time. With tolerance 10⁻⁷ it would be 0.002.",
        {"problem": "lorenz", "method": "dopri5", "knob": 6},
    ),
)
"""Settings are fields of `SolverRun`, and ``knob`` for the trace."""

ADJOINT = (
    Preset(
        "memory",
        "Sixteen times as many steps. The memory of the adjoint's gradient?",
        ("Sixteen times as much", "Four times", "The same"),
        2,
        "The same: the backward solve reconstructs z(t) instead of keeping it. For 512 points and RK4 it holds 48 KiB "
        "whether 8 or 128 steps are taken; backpropagation through the solver 1.5 MiB and 24 MiB.",
        {"method": "rk4", "steps": 128},
    ),
    Preset(
        "drift",
        "van der Pol, back from t₁ = 6 with tolerance 10⁻³. Does the backward solve return to where it came from?",
        ("Yes, within the tolerance", "Roughly", "No: it is lost on the way"),
        2,
        "What dies away forwards grows backwards. The reconstruction explodes at t ≈ 4, while backpropagation keeps "
        "the forward path and has the gradient within 22 % at this tolerance.",
        {"problem": "van-der-pol", "method": "dopri5", "tolerance": 1e-3},
    ),
    Preset(
        "euler",
        "Euler's method with 32 steps. Do adjoint and backpropagation give the same gradient?",
        ("Yes", "No: one is the gradient of the steps, the other of the ODE, solved by steps"),
        1,
        "Backpropagation gives the exact gradient of what Euler computes; the adjoint solves another ODE, again by "
        "Euler. They meet as the steps shrink: look at the errors fall.",
        {"method": "euler", "steps": 32},
    ),
)
"""Settings are fields of `AdjointRun`."""
