"""What a gradient costs against the number of steps: bytes held and seconds, by the adjoint and by backpropagation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dgm_core.neural_ode.gradients import How, LossFunction, gradients
from dgm_core.neural_ode.orders import Slope, slope

STEPS: tuple[int, ...] = (8, 16, 32, 64, 128)


class Meter:
    """Bytes of the tensors that autograd holds for its backward pass; each storage counts once while it is held.

    Args:
        live: now.
        peak: at most so far.
    """

    def __init__(self) -> None:
        self.live, self.peak = 0, 0
        self._holders: Counter[int] = Counter()

    def hold(self, tensor: Tensor) -> _Held:
        """What autograd keeps in the tensor's place."""
        return _Held(self, tensor)

    def take(self, key: int, size: int) -> None:
        """One more holder of the storage at ``key``."""
        if not self._holders[key]:
            self.live += size
            self.peak = max(self.peak, self.live)
        self._holders[key] += 1

    def drop(self, key: int, size: int) -> None:
        """One holder less."""
        self._holders[key] -= 1
        if not self._holders[key]:
            self.live -= size


class _Held:
    def __init__(self, meter: Meter, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        self.meter, self.tensor, self.key, self.size = meter, tensor.detach(), storage.data_ptr(), storage.nbytes()
        meter.take(self.key, self.size)

    def __del__(self) -> None:
        self.meter.drop(self.key, self.size)


@contextmanager
def saved_bytes() -> Iterator[Meter]:
    """Count what autograd saves within this block, by saved-tensor hooks.

    Example:
        >>> x = torch.ones(1_000, requires_grad=True)
        >>> with saved_bytes() as meter:
        ...     y = x.exp().sum()
        >>> meter.peak
        4000
    """
    meter = Meter()
    with torch.autograd.graph.saved_tensors_hooks(meter.hold, lambda held: held.tensor):
        yield meter


@dataclass(frozen=True)
class Cost:
    """What gradients cost, measured on this machine.

    Args:
        how: "adjoint" or "backprop".
        measure: "allocator" (CUDA's peak above what was there before) or "saved" (what autograd held on the CPU).
        steps: (K,) numbers of steps.
        peak: (K,) bytes.
        seconds: (K,) of the forward and backward solve.
    """

    how: How
    measure: str
    steps: tuple[int, ...]
    peak: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def bytes_a_step(self) -> Slope:
        """The slope of the peak against the number of steps."""
        return slope([float(n) for n in self.steps], [float(size) for size in self.peak])

    @property
    def seconds_a_step(self) -> Slope:
        """The slope of the time against the number of steps."""
        return slope([float(n) for n in self.steps], list(self.seconds))


def cost(
    field: nn.Module, z0: Tensor, loss: LossFunction, how: How, steps: Sequence[int] = STEPS, method: str = "rk4",
    span: float = 1.0,
) -> Cost:  # fmt: skip
    """Peak memory and time of one gradient, for each number of steps.

    Args:
        field: f(t, z), on the device of ``z0``.
        z0: (N, D).
        loss: L(z(t₁)).
        how: "adjoint" or "backprop".
        steps: numbers of steps.
        method: a fixed-step method.
        span: t₁.

    Example:
        >>> from dgm_core.neural_ode.vector_fields import LinearField
        >>> turn, z0 = LinearField([[0.0, 1.0], [-1.0, 0.0]]), torch.ones(64, 2, dtype=torch.float64)
        >>> adjoint, backprop = (cost(turn, z0, torch.sum, how, (4, 8, 16)) for how in ("adjoint", "backprop"))
        >>> len(set(adjoint.peak)), backprop.bytes_a_step.value > 0
        (1, True)
    """
    # The first run pays for what PyTorch sets up once.
    gradients(field, z0, loss, method, how, span=(0.0, span), step=span / steps[0])
    rows = [_one(field, z0, loss, how, method, span, n) for n in steps]
    peak, seconds = zip(*rows, strict=True)
    return Cost(how, "allocator" if z0.is_cuda else "saved", tuple(steps), peak, seconds)


def _one(
    field: nn.Module, z0: Tensor, loss: LossFunction, how: How, method: str, span: float, steps: int
) -> tuple[int, float]:
    def run() -> None:
        gradients(field, z0, loss, method, how, span=(0.0, span), step=span / steps)

    if z0.is_cuda:
        return _allocator(run, z0.device)
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    # The hooks cost time of their own, so the bytes are counted in a second run.
    with saved_bytes() as meter:
        run()
    return meter.peak, seconds


def _allocator(run: Callable[[], None], device: torch.device) -> tuple[int, float]:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    start = time.perf_counter()
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before, time.perf_counter() - start
