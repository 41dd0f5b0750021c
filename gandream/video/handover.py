"""Frames from the device that made them to the thread that writes them, while the producer goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def host_copy(frames: Tensor | np.ndarray) -> Callable[[], np.ndarray]:
    """A function that gives uint8 [N, bytes] in the host's memory, contiguous; call it in another thread.

    A CUDA tensor is copied to pinned memory behind the work that makes it, and only the other thread waits
    for that: the caller goes on launching the next batch. One on an Apple GPU is copied at once, as torch's MPS
    isn't made for several threads. What is on the CPU isn't copied: leave it unchanged.
    """
    if isinstance(frames, np.ndarray):
        return lambda: np.ascontiguousarray(frames)
    if frames.device.type == "cuda":
        return _pinned(frames)
    here = frames.cpu()
    return lambda: here.contiguous().numpy()


def _pinned(frames: Any) -> Callable[[], np.ndarray]:
    import torch

    with torch.cuda.device(frames.device):
        host = torch.empty(frames.shape, dtype=frames.dtype, pin_memory=True)
        host.copy_(frames, non_blocking=True)
        done = torch.cuda.Event(blocking=True)  # the thread that waits sleeps
        done.record()

    def arrived() -> np.ndarray:
        done.synchronize()
        return host.numpy()

    return arrived
