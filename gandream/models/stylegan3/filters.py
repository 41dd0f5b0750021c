"""Low-pass filters, for files that carry none (Karras et al. 2021, section 3 and appendix B). Loads no torch.

A windowed sinc, applied along rows and columns, or its rotationally symmetric form, a windowed jinc in two dimensions;
both under a Kaiser window whose shape follows from the width of the transition band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Design:
    """What a filter is to do; frequencies in cycles per unit, where a unit is the side of the picture."""

    taps: int
    cutoff: float
    half_width: float
    """Of the transition band."""
    rate: float
    """Samples per unit."""
    radial: bool

    def make(self) -> np.ndarray:
        """The filter: float64 [T], or [T, T] if radial; it sums to 1."""
        from scipy import signal

        if not self.radial:
            return np.asarray(signal.firwin(self.taps, self.cutoff, width=2 * self.half_width, fs=self.rate))
        from scipy.special import j1

        x = (np.arange(self.taps) - (self.taps - 1) / 2) / self.rate
        radius = np.hypot(*np.meshgrid(x, x))
        safe = np.where(radius > 0, radius, 1.0)
        jinc = np.where(radius > 0, j1(2 * np.pi * self.cutoff * safe) / (np.pi * safe), self.cutoff)
        attenuation = signal.kaiser_atten(self.taps, 2 * self.half_width / (self.rate / 2))
        window = np.kaiser(self.taps, signal.kaiser_beta(attenuation))
        found = jinc * np.outer(window, window)
        return found / found.sum()
