"""What every test gets: one torch thread, and a home of its own that no user's runs live in."""

import os
import tempfile

os.environ["DGM_HOME"] = tempfile.mkdtemp(prefix="dgm-test-")

import torch

torch.set_num_threads(1)
