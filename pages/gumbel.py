"""Gumbel-Max and Gumbel-Softmax: how a gradient passes through a choice."""

from app.furniture import page_header
from app.gumbel.parts import parts

page_header(
    "How does a gradient pass through a choice?",
    r"z_k = \frac{\exp((\log \pi_k + G_k)/\tau)}{\sum_j \exp((\log \pi_j + G_j)/\tau)} \qquad G_k = -\log(-\log u_k)",
    {r"\pi_k": ("data", "probabilities"), "G_k": ("latent", "Gumbel noise"), "z_k": ("model", "relaxed choice")},
)
parts()
