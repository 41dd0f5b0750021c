"""Film grain: one field of noise per film, laid over each frame at a place that depends on seed and frame alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

PIXEL = 0.29
"""Standard deviation of a place within a pixel: 1 / sqrt(12)."""


def grain(images: Tensor, at: Moment) -> Tensor:
    """Add noise, most of it in the mid-tones (a parabola from 1 in the middle to 1/4 at black and white)."""
    import torch

    height, width = images.shape[2:]
    key = ("field", height, width, images.device)
    noise = at.kept(key, lambda: torch.from_numpy(_field(at, height, width)).to(images.device))
    noises = torch.stack([_placed(noise, at.seed, int(frame)) for frame in at.frames])
    response = images.square().mul_(-0.75).add_(1)
    return noises.mul_(2 * at.at("grain", images)).mul(response).add_(images).clamp_(-1, 1)


def _field(at: Moment, height: int, width: int) -> np.ndarray:
    """Gaussian noise that wraps round, float32 [1 or 3, H, W].

    Grains of a size in thousandths of the height, seen through pixels: where a pixel is larger than a grain it shows a
    mean of several, so that a small picture looks as the large one does from further away.
    """
    planes = 3 if at.choices["coloured"] else 1
    sigma = at.choices["size"] * height / 2000  # of a grain, in pixels
    noise = np.random.RandomState(at.seed).standard_normal((planes, height, width))
    y, x = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    softened = np.fft.rfft2(noise) * np.exp(-2 * (np.pi * sigma) ** 2 * (x**2 + y**2))
    noise = np.fft.irfft2(softened, s=(height, width))
    noise -= noise.mean(axis=(1, 2), keepdims=True)
    return (noise * (sigma / np.hypot(sigma, PIXEL) / noise.std(axis=(1, 2), keepdims=True))).astype(np.float32)


def _placed(noise: Tensor, seed: int, frame: int) -> Tensor:
    """The field moved, and perhaps reflected, as the bits of (seed, frame) say."""
    import torch

    bits = _mixed((seed << 32) + frame)
    down, right = bits % noise.shape[1], (bits >> 20) % noise.shape[2]
    flips = [dim for dim in (1, 2) if bits >> (50 + dim) & 1]
    return torch.roll(noise, (down, right), (1, 2)).flip(flips)


def _mixed(number: int) -> int:
    """64 bits of which each depends on each of the number's (SplitMix64, Steele et al. 2014)."""
    most = (1 << 64) - 1
    bits = (number + 1) * 0x9E3779B97F4A7C15 & most
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ bits >> shift) * factor & most
    return bits ^ bits >> 31
