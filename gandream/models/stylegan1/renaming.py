"""Tensors by other names, in other arrangements: what StyleGAN's layouts are translated with. Loads no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gandream.models.checkpoint import Network
from gandream.models.checkpoint.derived import axes, changed, computed, without
from gandream.models.checkpoint.records import DamagedError, StoredTensor

Tensors = dict[str, StoredTensor]
Rule = tuple[str, Callable[[re.Match[str]], str], Callable[[StoredTensor], StoredTensor] | None]
"""A pattern of names, the name in the family's own layout, and what is to be done to the tensor."""
FUSED_FROM = 128
"""Pixels from which on up-sampling is fused, where nothing else is said."""


def dense(tensor: StoredTensor) -> StoredTensor:
    """[O, I] of [I, O]."""
    return axes(tensor, (1, 0))


def kernel(tensor: StoredTensor) -> StoredTensor:
    """[O, I, H, W] of [H, W, I, O]."""
    return axes(tensor, (3, 2, 0, 1))


def plane(tensor: StoredTensor) -> StoredTensor:
    """[H, W] of [1, 1, H, W]."""
    return without(tensor, 0, 1)


def const(tensor: StoredTensor) -> StoredTensor:
    """[C, H, W] of [1, C, H, W]."""
    return without(tensor, 0)


def layer_name(row: int) -> str:
    """The family's name of a style layer."""
    return f"synthesis.b{4 << row // 2}.conv{row % 2}"


def renamed(network: Network, rules: Sequence[Rule]) -> Tensors:
    """The tensors that rules know, by the family's own names."""
    found: Tensors = {}
    for name, tensor in network.tensors.items():
        for pattern, rename, change in rules:
            if match := re.fullmatch(pattern, name):
                try:
                    found[rename(match)] = change(tensor) if change else tensor
                except DamagedError as error:
                    raise DamagedError(f"{name}: {error}") from error
                break
    return found


def change_all(tensors: Tensors, pattern: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change the numbers of all tensors whose names fit, in place."""
    for name in tensors:
        if re.fullmatch(pattern, name):
            tensors[name] = changed(tensors[name], change)


def times(gain: float) -> Callable[[np.ndarray], np.ndarray]:
    """A change: all numbers times this."""
    return lambda array: array * np.float32(gain)


def turned(array: np.ndarray) -> np.ndarray:
    """Kernels [O, I, H, W], or [I, O, H, W], turned by 180 degrees."""
    return array[:, :, ::-1, ::-1]


def one_more(array: np.ndarray) -> np.ndarray:
    """Biases of styles with the 1 in those of the scales: x (1 + s) + t."""
    return np.concatenate([array[: len(array) // 2] + 1, array[len(array) // 2 :]])


def turn_fused(tensors: Tensors, fused: Any) -> None:
    """Turn the kernels that are read the other way round: ``fused`` is true, false, or "auto"."""
    for name in list(tensors):
        match = re.fullmatch(r"synthesis\.b(\d+)\.conv0\.weight", name)
        if match and (int(match[1]) >= FUSED_FROM if fused == "auto" else fused) and len(tensors[name].shape) == 4:
            change_all(tensors, re.escape(name), turned)


def zeros(tensors: Tensors, name: str, like: str) -> None:
    """A bias of 0 for a layer that has none."""
    if like in tensors and tensors[like].shape:
        shape = tensors[like].shape[:1]
        tensors[name] = computed(shape, lambda: np.zeros(shape))


def draw_noise(tensors: Tensors, first: str) -> None:
    """Noise for a network that has none: the same in every film (Philox; Salmon et al. 2011)."""
    height, width = tensors[first].shape[1:] if first in tensors and len(tensors[first].shape) == 3 else (4, 4)
    for name in list(tensors):
        if match := re.fullmatch(r"synthesis\.b(\d+)\.conv([01])\.noise_strength", name):
            scale, layer = int(match[1]) // 4, int(match[1]) * 2 + int(match[2])
            tensors[name.replace("strength", "const")] = _white((height * scale, width * scale), layer)


def _white(shape: tuple[int, int], layer: int) -> StoredTensor:
    return computed(shape, lambda: np.random.Generator(np.random.Philox(key=[0, layer])).standard_normal(shape))
