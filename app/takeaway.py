"""What every page lets one take home: a training's figures, its weights, and the rest of the page's address."""

from __future__ import annotations

import csv
import io

import numpy as np
import safetensors.torch
import streamlit as st
import torch

from app.trained import Trained
from dgm_core.experiment import Experiment


def metrics_csv(metrics: dict[str, np.ndarray]) -> bytes:
    """The training's figures, one row a report; a cell is empty where a figure was not measured."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(metrics)
    for row in zip(*metrics.values(), strict=True):
        writer.writerow(["" if np.isnan(value) else f"{value:.8g}" for value in row])
    return out.getvalue().encode()


def weights(model: torch.nn.Module, trained: Trained) -> bytes:
    """The model's weights as safetensors, its declaration in the metadata."""
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    return safetensors.torch.save(state, metadata={"experiment": trained.experiment.canonical()})


def rest_of_address(experiment: Experiment) -> dict[str, str]:
    """What else the address says, such as the view and B's settings, so that the link shows the same page."""
    return {name: text for name, text in st.query_params.items() if name not in experiment.to_query()}
