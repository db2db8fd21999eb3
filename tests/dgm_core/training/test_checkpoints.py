"""A checkpoint gives back exactly what was taken: training goes on as if it had never stopped."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from dgm_core.training.checkpoints import flatten, restore


class Regression:
    """A few steps of noisy regression with optimizer, schedule and generator."""

    def __init__(self, optimizer: str) -> None:
        torch.manual_seed(3)
        self.model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 1))
        self.optimizer: torch.optim.Optimizer = getattr(torch.optim, optimizer)(self.model.parameters(), lr=1e-2)
        self.schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimizer, 20)
        self.generator = torch.Generator().manual_seed(5)

    def run(self, steps: int) -> None:
        for _ in range(steps):
            x = torch.randn(16, 2, generator=self.generator)
            loss = (self.model(x) - x.prod(1, keepdim=True)).square().mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()

    def parts(self) -> dict[str, object]:
        return {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule, "noise": self.generator}


@pytest.mark.parametrize("optimizer", ["Adam", "AdamW", "SGD", "RMSprop", "Adagrad"])
def test_a_resumed_training_equals_the_uninterrupted_one_bit_for_bit(optimizer: str, tmp_path: Path) -> None:
    whole = Regression(optimizer)
    whole.run(12)

    first = Regression(optimizer)
    first.run(5)
    save_file(flatten(**first.parts(), step=5), tmp_path / "checkpoint.safetensors")
    first.run(3)  # what happens after the snapshot does not reach it

    second = Regression(optimizer)
    second.run(2)  # a state that has to be overwritten
    rest = restore(load_file(tmp_path / "checkpoint.safetensors"), **second.parts())
    assert rest == {"step": 5}
    second.run(7)
    for name, expected in whole.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], expected), name
    assert second.schedule.get_last_lr() == whole.schedule.get_last_lr()


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(TREES)
def test_plain_values_come_back_equal_and_of_the_same_type(tree: object) -> None:
    assert restore(flatten(value=tree)) == {"value": tree}
    assert repr(restore(flatten(value=tree))["value"]) == repr(tree)


def test_tensors_are_restored_in_place() -> None:
    average = torch.arange(6.0).reshape(2, 3).T  # not contiguous, as safetensors would refuse
    flat = flatten(average=average, inner={"a": [average, 1]})
    average.zero_()
    rest = restore(flat, average=average)
    assert average.tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert torch.equal(rest["inner"]["a"][0], average)


def test_what_does_not_fit_is_named() -> None:
    flat = flatten(model=nn.Linear(2, 3), average=torch.zeros(3))
    with pytest.raises(ValueError, match="'model' does not fit"):
        restore(flat, model=nn.Linear(2, 4))
    with pytest.raises(ValueError, match=r"shape \(3,\) where \(4,\) is needed"):
        restore(flat, average=torch.zeros(4))
    with pytest.raises(ValueError, match="holds no 'optimizer'"):
        restore(flat, optimizer=torch.zeros(4))
    with pytest.raises(ValueError, match="no checkpoint"):
        restore({"weights": torch.zeros(2)})
    lacking: dict[str, Tensor] = {name: tensor for name, tensor in flat.items() if name != "average"}
    with pytest.raises(ValueError, match="missing"):
        restore(lacking)
    with pytest.raises(TypeError, match="set"):
        flatten(value={1, 2})
