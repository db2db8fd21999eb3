"""What to try with trained nets and with a field that is fitted; figures from the shipped models' records."""

from __future__ import annotations

from dgm_core.presets import Preset

NETS = (
    Preset(
        "ring",
        "A disc within a ring, and a flow in the plane, cut by one straight line. Can it get every point right?",
        ("Yes, all of them", "Nearly all: a path to the outside must stay closed", "No better than a straight line"),
        1,
        "99.9 % of held-out points here. A curve around the disc stays a closed curve around it, whatever the field: "
        "no straight line parts the two, so somewhere on the ring the answer is wrong. The flow makes that place thin.",
        {"n_task": "circles", "n_a": "ode", "n_b": "resnet"},
    ),
    Preset(
        "added",
        "Each point gets a third coordinate, 0 at the start. What becomes of the disc in the ring?",
        ("All right, and easily", "The same: the start is still flat", "Worse: more to learn"),
        0,
        "The disc is lifted out of the plane: 100 % right, held-out loss 3.0 · 10⁻⁵ nats instead of 3.3 · 10⁻³. "
        "The ring no longer encloses anything.",
        {"n_task": "circles", "n_a": "ode", "n_b": "added"},
    ),
    Preset(
        "coarse",
        "A flow is trained with three Euler steps and gets 99.65 % right. Now solve the same field finely. "
        "What becomes of its probabilities?",
        ("Hardly anything", "They change by 0.43 on average", "They all become ½"),
        1,
        "It was no flow: with three coarse steps points jump over one another, as in a residual net. Solved by dopri5 "
        "with tolerance 10⁻⁴ the probabilities are 0.43 away on average, and the evaluations go from 3 to 98.",
        {"task": "circles", "model": "ode", "layers": 3, "solver": "euler"},
    ),
)
"""Settings are the page's switches ``n_…`` or fields of `FlowClassifier`."""

LEARN = (
    Preset(
        "linear",
        "On a linear spiral a linear field is fitted beside the network. Which is nearer to the truth beyond the data?",
        ("The network: it can be anything", "The linear field", "Both the same"),
        1,
        "Error beyond the data 0.015 for the linear field, 0.087 for the network, in standard deviations: who knows "
        "the form needs less data. On the cubic spiral it is 2.16 against 0.39.",
        {"system": "spiral"},
    ),
    Preset(
        "one-segment",
        "One long solution is fitted instead of sixteen short ones that must join. The error beyond the data?",
        ("Smaller: that is what is asked for", "The same", "More than twice as large"),
        2,
        "0.87 instead of 0.39 standard deviations after as many steps, in 77 s instead of 16 s: early on a long "
        "solution goes astray, and from there its gradient says little.",
        {"segments": 1},
    ),
    Preset(
        "nfe",
        "Before training dopri5 needs 44 evaluations for the time that was seen. And after it, on the cubic spiral?",
        ("Fewer: the field becomes smooth", "About as many", "About ten times as many"),
        2,
        "470. The untrained field hardly moves; the learned one turns fast where the spiral is wide, and the solver "
        "must follow.",
        {"system": "cubic"},
    ),
    Preset(
        "periodic",
        "Predator and prey, seen for half of the time that is asked for, a fifth of the values missing. "
        "How far off is the fit in the unseen half?",
        ("0.04 standard deviations", "0.4: a few times the noise", "It drifts away"),
        0,
        "0.036, less than the noise of 0.1: the orbit is closed, so what comes later lies where data were.",
        {"system": "lotka-volterra"},
    ),
)
"""Settings are fields of `NeuralODE`."""
