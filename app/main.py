"""Entry point: ``streamlit run app/main.py``, from any working directory."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # plain `streamlit run` finds dgm_core without an install
os.environ.setdefault("PYTHONPATH", str(ROOT))  # Streamlit's file watcher reads this; workers inherit it

import streamlit as st

from app.controls import enter_page
from app.services import settle
from app.shell import shell
from app.warm import warm

PAGES = ROOT / "pages"


def main() -> None:
    """Register the pages, draw the shell, run the page that the address names."""
    # No icons here: Streamlit would fetch a Material icon from the network as the tab's icon.
    home = st.Page(PAGES / "home.py", title="Home", default=True)
    flows = [
        st.Page(
            PAGES / "neural_ode.py",
            title="Neural ODE",
            url_path="neural_ode",
            help="Residual blocks become a flow: solvers step by step, gradients by the adjoint, a field that learns.",
        ),
        st.Page(
            PAGES / "cnf.py",
            title="Continuous flows",
            url_path="cnf",
            help="Watch a density flow from a Gaussian to your data, and train the flow live.",
        ),
    ]
    discrete = [
        st.Page(
            PAGES / "gumbel.py",
            title="Gumbel-Softmax",
            url_path="gumbel",
            help="Drag the temperature of a relaxed choice, compare gradient estimators, train a discrete VAE live.",
        ),
        st.Page(
            PAGES / "vqvae.py",
            title="VQ-VAE",
            url_path="vqvae",
            help="Browse and edit a codebook, watch it learn in the plane, draw new images code by code.",
        ),
        st.Page(
            PAGES / "vqvae2.py",
            title="VQ-VAE-2",
            url_path="vqvae2",
            help="What each level of a hierarchy of codes keeps; mix levels, and draw images level by level.",
        ),
    ]
    quality = [
        st.Page(
            PAGES / "precision_recall.py",
            title="Precision and recall",
            url_path="precision_recall",
            help="Two sets of points as unions of balls: which samples are covered, and by what.",
        ),
    ]
    sections = {"": [home], "Flows": flows, "Discrete latents": discrete, "Sample quality": quality}
    page = st.navigation(sections, position="top")
    st.set_page_config(
        page_title="Deep generative models, live" if page is home else page.title,
        page_icon=str(ROOT / "app" / "icon.png"),
        layout="wide",
    )
    settle()
    shell()
    enter_page(page.url_path)
    page.run()
    warm()


if __name__ == "__main__":
    main()
