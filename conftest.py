"""What every test gets: one torch thread, a home of its own that no user's runs live in, the same examples each time.

Properties are checked on the same examples at every run, so that what was green is green; `make fuzz` looks for new
ones, and what it finds becomes an `@example`.
"""

import os
import tempfile

os.environ["DGM_HOME"] = tempfile.mkdtemp(prefix="dgm-test-")

import torch
from hypothesis import settings

settings.register_profile("steady", derandomize=True)
settings.register_profile("fuzz", print_blob=True)
settings.load_profile("fuzz" if os.environ.get("FUZZ") else "steady")
torch.set_num_threads(1)
