"""Convolutions in half precision: bfloat16 on CPUs that multiply it, float16 on GPUs. Sums are in float32 in either."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.models.precision import EXACT
from gandream.models.upsampling import phases


def computed_in(dtype: torch.dtype, side: int) -> torch.dtype:
    """The type that a layer whose smaller side is this computes in, in a network of a type."""
    return torch.float32 if side <= EXACT else dtype


class ReducedConvolution:
    """As ``gandream.models.convolution.Convolution``, of halves; doubling is a 2 x 2 convolution for each new pixel."""

    def __init__(self, weight: Tensor, dtype: torch.dtype, *, up: bool = False, bias: Tensor | None = None):
        """Take weights [O, I, k, k], k 1 or 3; ``up`` doubles to nearest neighbours before (k is 3)."""
        self.up, self.outputs, self.dtype, self.bias = up, weight.shape[0], dtype, bias
        self.padding = weight.shape[2] // 2
        self.weight = phases(weight).flatten(0, 1) if up else weight
        self.convolve = Packed(self.weight.to(dtype), self.padding)

    def __call__(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Features [N, I, S, S], float32 or half -> halves [N, O, S, S], or [N, O, 2 S, 2 S].

        ``bias`` [O] is added before anything is rounded, in the place of its own.
        """
        bias = self.bias if bias is None else bias
        y = self.convolve(x.to(self.dtype), None if bias is None else self._spread(bias).to(self.dtype))
        return self._apart(y) if self.up else y

    def rectified(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """The positive part of scale y + shift, both [O], of one picture; y is what the convolution gives."""
        weight = (self.weight * self._spread(scale)[:, None, None, None]).to(self.dtype)
        y = rectified(x.to(self.dtype), weight, self._spread(shift).to(self.dtype), self.padding)
        return self._apart(y) if self.up else y

    def _spread(self, each: Tensor) -> Tensor:
        """A number for each output, for all of its phases."""
        return each.repeat(4) if self.up else each

    def _apart(self, x: Tensor) -> Tensor:
        """The pixels that come of each, [N, 4 O, S + 1, S + 1], in their places; lower ones begin one further on."""
        count, _, rows, columns = x.shape
        height, width = rows - 1, columns - 1
        last = x.permute(0, 2, 3, 1).reshape(count, rows, columns, 4, self.outputs)
        made = x.new_empty(count, 2 * height, 2 * width, self.outputs)
        for phase in range(4):
            below, right = divmod(phase, 2)
            made[:, below::2, right::2] = last[:, below : below + height, right : right + width, phase]
        return made.permute(0, 3, 1, 2)


class Packed:
    """A convolution of features with channels last by constant weights [O, I, k, k], padded by zeros.

    On a CPU the weights are brought into oneDNN's own order once for a shape of features, and not in each call: what
    torch's compiler does for a finished network, by the same operations. That order is right for one shape only (for
    another it can be a hundred times as slow), so the last one's is kept.
    """

    def __init__(self, weight: Tensor, padding: int | Sequence[int]):
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        self.padding = [padding, padding] if isinstance(padding, int) else list(padding)
        self._ordered: tuple[torch.Size, Tensor] | None = None

    def __call__(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """Features and bias in the type of the weights."""
        if not _onednn(x):
            return F.conv2d(x, self.weight, bias, padding=self.padding)
        ops, pad, one = torch.ops.mkldnn, self.padding, [1, 1]
        ordered = self._ordered  # looked at once: threads may share a model
        if ordered is None or ordered[0] != x.shape:
            ordered = x.shape, ops._reorder_convolution_weight(self.weight, pad, one, one, 1, list(x.shape))
            self._ordered = ordered
        return ops._convolution_pointwise(x, ordered[1], bias, pad, one, one, 1, "none", [], None)


def painter(weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """A 3 x 3 convolution to colours, float32 in and out, and computed in a type."""
    if dtype == torch.float32:
        return lambda x: F.conv2d(x, weight, bias, padding=1)
    convolve, bias = Packed(weight.to(dtype), 1), bias.to(dtype)
    return lambda x: convolve(x.to(dtype), bias).float()


def rectified(x: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
    """A convolution and a rectifier, in one pass where that can be: features, weights and bias of one type."""
    if not _onednn(x):
        return F.conv2d(x, weight, bias, padding=padding).relu_()
    pad, one = [padding, padding], [1, 1]
    return torch.ops.mkldnn._convolution_pointwise(x, weight, bias, pad, one, one, 1, "relu", [], "")


def _onednn(x: Tensor) -> bool:
    """Whether torch shows oneDNN's convolutions as they are, and they take numbers of this type on this processor."""
    return x.device.type == "cpu" and _shown(x.dtype)


@functools.cache
def _shown(dtype: torch.dtype) -> bool:
    ops = torch.ops.mkldnn
    wanted = ["_reorder_convolution_weight", "_convolution_pointwise"]
    asked = {torch.bfloat16: "_is_mkldnn_bf16_supported", torch.float16: "_is_mkldnn_fp16_supported"}.get(dtype)
    if not torch.backends.mkldnn.is_available() or not all(hasattr(ops, name) for name in (*wanted, asked) if name):
        return False
    return asked is None or bool(getattr(ops, asked)())
