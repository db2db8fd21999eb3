"""Precision and recall of generated samples: the manifolds that decide what "good samples" means."""

from app.furniture import page_header
from app.precision_recall.parts import parts

page_header(
    "What makes generated samples good?",
    r"f(g, G) = 1\!\left[\,\exists\, g' \in G:\ \lVert g - g' \rVert \le \lVert g' - \mathrm{NN}_k(g', G) \rVert"
    r"\,\right] \qquad \text{precision} = \tfrac{1}{|Y|} \textstyle\sum_{y} f(y, X) \qquad "
    r"\text{recall} = \tfrac{1}{|X|} \sum_{x} f(x, Y)",
    {"X": ("data", "real"), "Y": ("model", "generated")},
)
parts()
