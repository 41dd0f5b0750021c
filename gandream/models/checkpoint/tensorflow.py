"""Networks of TensorFlow days, as NVIDIA pickled them: a state with variables by name, and networks as components.

The state of such an object holds ``name``, ``static_kwargs``, ``components`` (StyleGANs), ``build_func_name`` and
``variables``, a list of (name, array). The source text beside them (``build_module_src``) is what the original runs
to make the network; nothing here looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gandream.models.checkpoint import theano
from gandream.models.checkpoint.derived import computed
from gandream.models.checkpoint.records import MAX_NAME, DamagedError, Record, StoredTensor
from gandream.models.checkpoint.vocabulary import NumpyArray

MAX_PARTS = 32
"""Components of a network, with those of components; real ones have two."""
TRIPLE = ("G", "D", "Gs")
"""What the three networks of a training state are, in their order; the last is the average of the first."""


def is_network(state: Any) -> bool:
    """Whether an object with this state is a network of TensorFlow days."""
    return isinstance(state, dict) and isinstance(state.get("variables"), list) and "build_func_name" in state


def state_of(node: Any) -> dict[Any, Any] | None:
    """The state of a network of TensorFlow days, or of Theano days as TensorFlow would have it; None of all else."""
    state = node.state if isinstance(node, Record) else None
    if is_network(state):
        return state
    return theano.translated(state) if isinstance(state, dict) and theano.is_network(state) else None


def is_name(value: Any) -> bool:
    """Whether something may be the name of a variable or a network."""
    return isinstance(value, str) and len(value) <= MAX_NAME


def place(state: dict[Any, Any], where: str) -> str:
    """The dotted place of a network in its file; one that only has a number there goes by its own name."""
    *before, last = where.split(".")
    name = state.get("name")
    if (last.isdecimal() or not last) and is_name(name) and name:
        last = name.replace(".", "_")
    return ".".join([*before, last])


def is_triple(items: list[Any] | tuple[Any, ...]) -> bool:
    """Whether these are the three networks of a training state."""
    states = [item.state for item in items[: len(TRIPLE) + 1] if isinstance(item, Record)]
    return len(items) == len(states) == len(TRIPLE) and all(map(_is_either, states))


def _is_either(state: Any) -> bool:
    return is_network(state) or theano.is_network(state)


def parts(state: dict[Any, Any]) -> Iterator[tuple[str, dict[Any, Any]]]:
    """The states of a network and of its components, with the names of the latter: "", "synthesis", "mapping"."""
    waiting, count = [("", state)], 0
    while waiting:
        prefix, found = waiting.pop(0)
        count += 1
        if count > MAX_PARTS or len(prefix) > MAX_NAME:
            raise DamagedError("its components are nested too deeply")
        yield prefix, found
        components = found.get("components")
        for name, component in (components if isinstance(components, dict) else {}).items():
            if isinstance(component, Record) and is_network(component.state):
                waiting.append((f"{prefix}/{name}" if prefix else str(name), component.state))


def function(state: dict[Any, Any]) -> str:
    """The name of the function that built the network, such as ``G_synthesis_stylegan2``."""
    name = state["build_func_name"]
    return name if isinstance(name, str) else ""


def variables(state: dict[Any, Any]) -> Iterator[tuple[str, StoredTensor]]:
    """A network's own variables; numbers become tensors without dimensions."""
    for item in state["variables"]:
        if not isinstance(item, tuple | list) or len(item) != 2 or not is_name(item[0]):
            raise DamagedError("its variables have no names")
        name, value = item
        value = value.tensor if isinstance(value, NumpyArray) else value
        if isinstance(value, StoredTensor):
            yield name, value
        elif isinstance(value, int | float):
            yield name, computed((), lambda value=value: np.asarray(value, np.float32))
