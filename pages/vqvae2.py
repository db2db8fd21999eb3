"""A hierarchy of codes: what each level keeps of an image, and a law that draws the levels one after the other."""

from app.furniture import page_header
from app.vqvae2.parts import parts

page_header(
    "What does each level of codes keep?",
    r"e_{top} = \mathrm{NN}(E_{top}(x)),\quad e_{bottom} = \mathrm{NN}(E_{bottom}(x, e_{top})),\quad "
    r"\hat{x} = D(e_{top}, e_{bottom}) \qquad p(e_{top})\, p(e_{bottom}|e_{top})",
    {
        "x": ("data", "image"),
        "e_{top}": ("latent", "top codes"),
        "e_{bottom}": ("base", "bottom codes"),
    },
)
parts()
