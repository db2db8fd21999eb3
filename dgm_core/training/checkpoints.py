"""A training's whole state as one flat mapping of tensors, so that it can be a safetensors file and no pickle.

Tensors stand under their path (``"model/0.weight"``, ``"optimizer/state/0/exp_avg"``); all that is no tensor (learning
rates, step counts, the shape of the nested dicts) is JSON, as bytes in one more tensor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

OUTLINE = "outline.json"


@runtime_checkable
class Stateful(Protocol):
    """What modules, optimizers and learning-rate schedulers have in common."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state_dict: Any) -> Any: ...


def flatten(**parts: Any) -> dict[str, Tensor]:
    """Take a snapshot of everything a training needs to go on.

    Args:
        parts: modules, optimizers, schedulers, `torch.Generator`s, tensors of any shape, or plain values (numbers,
            strings, None, and lists, tuples and dicts of all these).

    Returns:
        CPU copies by name; what happens to the parts afterwards does not reach them.

    Raises:
        TypeError: for a value that is neither a tensor nor expressible as JSON.

    Example:
        >>> layer, generator = torch.nn.Linear(2, 1), torch.Generator().manual_seed(0)
        >>> flat = flatten(model=layer, noise=generator, step=7)
        >>> sorted(flat)
        ['model/bias', 'model/weight', 'noise', 'outline.json']
        >>> restore(flat, model=torch.nn.Linear(2, 1), noise=torch.Generator())
        {'step': 7}
    """
    flat: dict[str, Tensor] = {}
    outline = {name: _take(_state(part), name, flat) for name, part in parts.items()}
    text = json.dumps(outline, separators=(",", ":")).encode()
    flat[OUTLINE] = torch.from_numpy(np.frombuffer(text, dtype=np.uint8).copy())
    return flat


def restore(flat: Mapping[str, Tensor], **parts: Any) -> dict[str, Any]:
    """Put a snapshot back.

    Args:
        flat: from `flatten`.
        parts: the modules, optimizers, schedulers, generators and tensors to change in place, under the names they
            were flattened with.

    Returns:
        The values of all other names.

    Raises:
        ValueError: when the snapshot is none, lacks a part, or a part has another shape.
    """
    try:
        outline = json.loads(flat[OUTLINE].numpy().tobytes())
        values = {name: _give(node, flat) for name, node in outline.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is no checkpoint, or a part of it is missing ({error})") from error
    for name, part in parts.items():
        if name not in values:
            raise ValueError(f"the checkpoint holds no {name!r}; it holds {', '.join(values)}")
        try:
            _put(part, values.pop(name))
        except (RuntimeError, KeyError, ValueError, TypeError) as error:
            raise ValueError(f"the checkpoint's {name!r} does not fit: {error}") from error
    return values


def _state(part: Any) -> Any:
    if isinstance(part, torch.Generator):
        return part.get_state()
    if isinstance(part, Stateful):
        return part.state_dict()
    return part


def _put(part: Any, value: Any) -> None:
    if isinstance(part, torch.Generator):
        part.set_state(value)
    elif isinstance(part, Tensor):
        if part.shape != value.shape:
            raise ValueError(f"shape {tuple(value.shape)} where {tuple(part.shape)} is needed")
        with torch.no_grad():
            part.copy_(value)
    elif isinstance(part, Stateful):
        part.load_state_dict(value)
    else:
        raise TypeError(f"{type(part).__name__} cannot be changed in place; read it from what restore returns")


def _take(node: Any, path: str, flat: dict[str, Tensor]) -> Any:
    """The outline of a tree; its tensors go into ``flat``. Containers are tagged, since JSON knows only string keys."""
    if isinstance(node, Tensor):
        flat[path] = node.detach().to("cpu", copy=True).contiguous()
        return {"tensor": path}
    if isinstance(node, Mapping):
        return {"dict": [[key, _take(value, f"{path}/{key}", flat)] for key, value in node.items()]}
    if isinstance(node, tuple | list):
        items = [_take(value, f"{path}/{index}", flat) for index, value in enumerate(node)]
        return {"tuple" if isinstance(node, tuple) else "list": items}
    if node is None or isinstance(node, bool | int | float | str):
        return node
    raise TypeError(f"{path} is of type {type(node).__name__}, which a checkpoint cannot hold")


def _give(node: Any, flat: Mapping[str, Tensor]) -> Any:
    """The tree that `_take` outlined."""
    if not isinstance(node, dict):
        return node
    ((tag, content),) = node.items()
    if tag == "tensor":
        return flat[content].clone()
    if tag == "dict":
        return {key: _give(value, flat) for key, value in content}
    items = [_give(value, flat) for value in content]
    return tuple(items) if tag == "tuple" else items
