"""Against the package ``prdc`` by the authors of density and coverage, which leaves points on the rim out."""

import numpy as np
import pytest
from prdc_oracle import four

from dgm_core.metrics import prdc


@pytest.mark.parametrize("dimensions", [2, 64])
@pytest.mark.parametrize("k", [1, 5])
def test_the_package_gives_the_same(dimensions, k):
    peer = pytest.importorskip("prdc")
    random = np.random.default_rng(1)
    x, y = random.normal(size=(400, dimensions)), 0.9 * random.normal(size=(300, dimensions))
    theirs = peer.compute_prdc(x, y, k)
    expected = [theirs[name] for name in ("precision", "recall", "density", "coverage")]
    assert four(prdc(x, y, k, strict=True)) == pytest.approx(expected, abs=1e-12)
