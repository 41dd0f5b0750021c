"""ProGANs of Theano days: arrays without names, in the order in which the network was built; as TensorFlow's.

The state of such an object holds ``build_func_spec`` (the name of a function, and its arguments), ``param_values`` and
``toplevel_params``. A layer has its weights, the number that they are multiplied by, and its biases; first come the
layers from 4 pixels up, then those of colours, from the last resolution down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gandream.models.checkpoint.derived import axes, changed, computed
from gandream.models.checkpoint.records import DamagedError, StoredTensor
from gandream.models.checkpoint.vocabulary import NumpyArray

GENERATORS = ("G_paper", "G_progressive_8")
MAX_RESOLUTION = 8192
UNUSUAL = (("label_size", 0), ("use_batchnorm", False), ("use_layernorm", False), ("tanh_at_end", None))
"""Arguments of which only one value is known, and it."""


def is_network(state: Any) -> bool:
    """Whether an object with this state is a network of Theano days."""
    return (
        isinstance(state, dict)
        and isinstance(state.get("build_func_spec"), dict)
        and isinstance(state.get("param_values"), list | tuple)
        and "version" not in state
    )


def translated(state: dict[Any, Any]) -> dict[str, Any]:
    """The state that a network of TensorFlow days would have; without variables where it isn't the generator."""
    spec = state["build_func_spec"]
    function, top = spec.get("func"), state.get("toplevel_params")
    made: dict[str, Any] = {"name": function, "build_func_name": function, "static_kwargs": {}, "variables": []}
    if function not in GENERATORS:
        return made
    for name, known in UNUSUAL:
        if spec.get(name, known) != known:
            raise DamagedError(f"it is of Theano days, with {name}, and such ProGANs can't be read")
    resolution = spec.get("resolution", 32)
    if type(resolution) is not int or not 4 <= resolution <= MAX_RESOLUTION or resolution & (resolution - 1):
        raise DamagedError("its resolution is no power of 2")
    values = iter(state["param_values"])
    scaled = spec.get("use_wscale", True) is not False
    for name, kind in _layers(resolution.bit_length() - 3):
        weight, scale, bias = _tensor(values, name), _tensor(values, name) if scaled else None, _tensor(values, name)
        try:
            made["variables"] += [(f"{name}/weight", _weight(weight, scale, kind)), (f"{name}/bias", bias)]
        except DamagedError as error:
            raise DamagedError(f"{name}: {error}") from error
    if isinstance(top, dict):
        made["variables"].append(("lod", top.get("cur_lod", 0.0)))
    kept = {key: value for key, value in spec.items() if key not in ("func", "use_wscale", "fused_scale")}
    made["static_kwargs"] = kept | {"use_wscale": False, "fused_scale": False}
    return made


def _layers(doublings: int) -> Iterator[tuple[str, str]]:
    """Names of all layers and their kinds, in their order."""
    yield "4x4/Dense", "first"
    yield "4x4/Conv", "convolution"
    for number in range(doublings):
        for order in (0, 1):
            yield f"{8 << number}x{8 << number}/Conv{order}", "convolution"
    for lod in range(doublings + 1):
        yield f"ToRGB_lod{lod}", "colours"


def _tensor(values: Iterator[Any], layer: str) -> StoredTensor:
    """The next array."""
    value = next(values, None)
    value = value.tensor if isinstance(value, NumpyArray) else value
    if isinstance(value, int | float):
        return computed((), lambda: np.asarray(value, np.float32))
    if not isinstance(value, StoredTensor):
        raise DamagedError(f"it has too few arrays: {layer} is missing")
    return value


def _weight(weight: StoredTensor, scale: StoredTensor | None, kind: str) -> StoredTensor:
    """Weights as TensorFlow has them, multiplied by their scale: [I, O], or [H, W, I, O] not turned round."""
    if scale is not None and scale.count != 1:
        raise DamagedError(f"its scale has shape {list(scale.shape)}")

    def arranged(array: np.ndarray) -> np.ndarray:
        factor = 1.0 if scale is None else float(scale.array().reshape(()))
        array = array.astype(np.float64) * factor
        if kind == "first":  # What is convolved to 4 x 4 from one pixel: [I, C, 4, 4].
            return array.reshape(found.shape[0], -1)
        return array[::-1, ::-1] if kind == "convolution" else array[None, None]

    found = axes(weight, {"first": (1, 0, 2, 3), "convolution": (2, 3, 1, 0), "colours": (0, 1)}[kind])
    shape = {"first": (found.shape[0], found.count // max(found.shape[0], 1)), "colours": (1, 1, *found.shape)}
    return changed(found, arranged, shape.get(kind))
