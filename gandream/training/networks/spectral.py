"""Spectral norm: weights divided by their largest singular value, which power iteration follows as they change.

Miyato, Kataoka, Koyama & Yoshida 2018, "Spectral normalization for generative adversarial networks", section 2.1 and
algorithm 1: one step of the iteration for each step of training is enough, because weights change slowly.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

EPSILON = 1e-12
"""Added to no norm, but the least that one is divided by."""
FIRST_STEPS = 8
"""Steps of the power iteration when a weight is made, so that its norm is about right from the start."""


class SpectralWeight(nn.Module):
    """A weight [O, ...], or a stack of ``stack`` of them [S, O, ...], each divided by its largest singular value.

    Calling it gives the divided weight, float32; while training, and where gradients are taken, u [S, O] and v [S, I]
    first take a step toward the singular vectors. Gradients flow through the singular value u W v, with u and v taken
    as constants.
    """

    weight: nn.Parameter
    u: Tensor
    v: Tensor

    def __init__(self, *shape: int, stack: int = 0):
        super().__init__()
        self.stack = stack
        matrices = torch.empty(max(stack, 1), shape[0], int(torch.Size(shape[1:]).numel()))
        for matrix in matrices:
            nn.init.orthogonal_(matrix)
        self.weight = nn.Parameter(matrices.view(*((stack,) if stack else ()), *shape))
        self.register_buffer("u", F.normalize(torch.randn(matrices.shape[:2]), dim=-1))
        self.register_buffer("v", torch.zeros(matrices.shape[0], matrices.shape[2]))
        self.iterate(FIRST_STEPS)

    def matrices(self) -> Tensor:
        """The weights as [S, O, I]."""
        return self.weight.view(max(self.stack, 1), -1, self.v.shape[1])

    @torch.no_grad()
    def iterate(self, steps: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """Take steps of the power iteration: the singular value [S] after them, u and v, as tensors of their own."""
        matrices, u, v, sigma = self.matrices(), self.u, self.v, self.u
        for _ in range(steps):
            v = torch.bmm(u[:, None], matrices)[:, 0]
            v = v / torch.linalg.vector_norm(v, dim=1, keepdim=True).clamp_min_(EPSILON)
            u = torch.bmm(matrices, v[:, :, None])[:, :, 0]
            sigma = torch.linalg.vector_norm(u, dim=1, keepdim=True).clamp_min_(EPSILON)
            u = u / sigma
        self.u.copy_(u)
        self.v.copy_(v)
        return sigma[:, 0], u, v

    @torch.no_grad()
    def norm(self) -> Tensor:
        """The singular value [S] that u and v stand for."""
        return (torch.bmm(self.matrices(), self.v[:, :, None])[:, :, 0] * self.u).sum(1)

    def forward(self, dtype: torch.dtype | None = None) -> Tensor:
        """Give the weight over its largest singular value, in its own shape, and in ``dtype`` or its own."""
        if self.training and torch.is_grad_enabled():
            sigma, u, v = self.iterate()
        else:
            sigma, u, v = self.norm(), self.u.clone(), self.v.clone()
        return _Divide.apply(self.weight, sigma, u, v, dtype or self.weight.dtype)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Weight and vectors of a single weight, by the names that PyTorch's own spectral norm gives them."""
        found: dict[str, Tensor] = {
            f"{name}.weight_orig": self.weight,
            f"{name}.weight_u": self.u[0],
            f"{name}.weight_v": self.v[0],
        }
        return found

    def stacked_tensors(self, names: list[str]) -> dict[str, Tensor]:
        """The same of a stack, one name for each weight in it."""
        found = {}
        for name, weight, u, v in zip(names, self.weight, self.u, self.v, strict=True):
            found |= {f"{name}.weight_orig": weight, f"{name}.weight_u": u, f"{name}.weight_v": v}
        return found


class _Divide(torch.autograd.Function):
    """W / sigma with sigma = u W v and its gradient in few steps: (g - <g, W> / sigma u v) / sigma; equation 10."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, sigma: Tensor, u: Tensor, v: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.save_for_backward(weight, sigma, u, v)
        divided = weight.view(len(u), -1) / sigma[:, None]
        form = torch.channels_last if weight.dim() == 4 and weight.shape[2] > 1 else torch.contiguous_format
        return divided.view(weight.shape).to(dtype, memory_format=form)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        weight, sigma, u, v = ctx.saved_tensors
        g = gradients[0].to(weight.dtype).reshape(len(u), -1)
        product = torch.linalg.vecdot(g, weight.view(len(u), -1)) / sigma.square()
        g = (g / sigma[:, None]).view(len(u), u.shape[1], -1)
        g = torch.baddbmm(g, (u * -product[:, None])[:, :, None], v[:, None])
        return g.view(weight.shape), None, None, None, None


class SpectralConv(nn.Module):
    """A convolution k x k, padded to keep the size, with spectral norm; its weight is cast to the pictures' type."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True):
        super().__init__()
        self.normed = SpectralWeight(outputs, inputs, kernel, kernel)
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Convolve x [N, I, H, W] -> [N, O, H, W]."""
        weight = self.normed(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.conv2d(x, weight, bias, padding=weight.shape[2] // 2)

    def tensors(self, name: str) -> dict[str, Tensor]:
        """Everything by its name in checkpoints; a bias that training leaves away is 0."""
        outputs = self.normed.weight.shape[0]
        bias = torch.zeros(outputs) if self.bias is None else self.bias
        return self.normed.tensors(name) | {f"{name}.bias": bias}
