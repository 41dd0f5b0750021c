"""Tensors made of other tensors, without reading them yet: layouts are translated when numbers are wanted, not before.

Where a new order of axes is enough, only strides change; everything else is computed as the tensor is read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from gandream.models.checkpoint.records import DamagedError, Storage, StoredTensor, contiguous


def axes(tensor: StoredTensor, order: Sequence[int]) -> StoredTensor:
    """The tensor with its axes in another order: (3, 2, 0, 1) makes [O, I, H, W] of TensorFlow's [H, W, I, O]."""
    if sorted(order) != list(range(len(tensor.shape))):
        raise DamagedError(f"a tensor has {len(tensor.shape)} dimensions, and {len(order)} are wanted")
    shape, strides = ([values[axis] for axis in order] for values in (tensor.shape, tensor.strides))
    return StoredTensor(tensor.storage, tuple(shape), tuple(strides), tensor.offset)


def without(tensor: StoredTensor, *dropped: int) -> StoredTensor:
    """The tensor without these axes, which must have size 1: [C, H, W] of [1, C, H, W] without axis 0."""
    count = len(tensor.shape)
    if any(axis >= count or tensor.shape[axis] != 1 for axis in dropped):
        raise DamagedError(f"a tensor has shape {list(tensor.shape)}, and 1 is wanted in axis {max(dropped)}")
    kept = [axis for axis in range(count) if axis not in dropped]
    shape, strides = (tuple(values[axis] for axis in kept) for values in (tensor.shape, tensor.strides))
    return StoredTensor(tensor.storage, shape, strides, tensor.offset)


def computed(shape: Sequence[int], make: Callable[[], np.ndarray]) -> StoredTensor:
    """A float32 tensor of this shape whose numbers ``make`` gives when they are wanted.

    ``make`` may read other tensors (``StoredTensor.array``); DamagedError where what it gives has another shape.
    """
    shape = tuple(shape)

    def read() -> bytes:
        array = np.asarray(make())
        if array.shape != shape:
            raise DamagedError(f"a tensor has shape {list(array.shape)}, and {list(shape)} is wanted")
        return array.astype("<f4", order="C").tobytes()

    return StoredTensor(Storage("float32", math.prod(shape), read), shape, contiguous(shape))


def changed(
    tensor: StoredTensor, change: Callable[[np.ndarray], np.ndarray], shape: Sequence[int] | None = None
) -> StoredTensor:
    """A tensor whose numbers are changed by a function, in float32; ``shape`` is the new one, None: the same."""
    return computed(
        tensor.shape if shape is None else shape, lambda: change(tensor.array().astype(np.float32, copy=False))
    )
