"""What one takes home from the page: code, film, figures, weights."""

from __future__ import annotations

import io

import numpy as np
import streamlit as st

from app import trained as store
from app.cnf import films
from app.film.export import film_gif, film_mp4, frame_png
from app.furniture import Export, code_section, copy_link, export_section
from app.takeaway import metrics_csv, rest_of_address, weights
from app.trained import Trained
from dgm_core.cnf.experiment import DensityFlow
from dgm_core.film import Film


def code(trained: Trained) -> str:
    """Python that makes the stage's picture, as it stands."""
    lines = {"shipped": "from dgm_core import zoo\n", "run": "from dgm_core.cnf import DensityFlow\n"}
    return f"""{lines[trained.source]}from dgm_core.cnf import density_film
import plotly.express as px

{trained.code("flow")}
film = density_film(flow, size=128, frames=60)   # film.log_prob: (60, 128, 128), nats
px.imshow(film.log_prob[-1], origin="lower", zmin=film.log_prob[-1].max() - 8).write_html("density.html")
"""


def exports(trained: Trained, film: Film) -> list[Export]:
    """The files to take home; each is made when it is asked for, outside of the page's script."""
    flow, figures = store.model(trained), store.metrics(trained)
    name = f"{trained.experiment.topic}-{trained.experiment.key[:8]}"
    return [
        Export("PNG", f"{name}.png", "image/png", lambda: frame_png(film, -1)),
        Export("GIF", f"{name}.gif", "image/gif", lambda: film_gif(film)),
        Export("MP4", f"{name}.mp4", "video/mp4", lambda: film_mp4(film)),
        Export("Film (NPZ)", f"{name}.npz", "application/octet-stream", lambda: film_npz(film)),
        Export("Training (CSV)", f"{name}.csv", "text/csv", lambda: metrics_csv(figures)),
        Export("Weights", f"{name}.safetensors", "application/octet-stream", lambda: weights(flow, trained)),
    ]


def film_npz(film: Film) -> bytes:
    """The film's arrays as NPZ."""
    out = io.BytesIO()
    arrays = {"particles": film.particles, "arrows": film.arrows, "grid": film.grid}
    kept = {name: array for name, array in arrays.items() if array is not None}
    np.savez_compressed(out, times=film.times, log_prob=film.log_prob, extent=np.array(film.extent), **kept)  # type: ignore[arg-type]
    return out.getvalue()


def take_home(flow: DensityFlow, shown: Trained) -> None:
    """Draw link, files and code."""
    film = films.flow_film(shown)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        copy_link(flow, rest_of_address(flow))
        if film is not None:
            export_section(exports(shown, film))
    code_section(code(shown))
