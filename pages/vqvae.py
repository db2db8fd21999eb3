"""Vector quantisation: what a codebook keeps of an image, and a law of its codes."""

from app.furniture import page_header
from app.vqvae.parts import parts

page_header(
    "What does a codebook keep of an image?",
    r"z_q = e_{k^*},\ k^* = \arg\min_k \|z_e - e_k\| \qquad "
    r"-\log p(x|z_q) + \|\mathrm{sg}(z_e) - z_q\|^2 + \beta\,\|z_e - \mathrm{sg}(z_q)\|^2 \to \min",
    {"z_e": ("model", "encoder output"), "z_q": ("latent", "its code"), "x": ("data", "image")},
)
parts()
