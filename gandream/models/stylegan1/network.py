"""The StyleGAN as a ``Generator``."""

from __future__ import annotations

from gandream.models.style.from_constant import FromConstant
from gandream.models.stylegan1.synthesis import SynthesisNetwork


class StyleGAN1(FromConstant):
    """A StyleGAN of any size."""

    network = SynthesisNetwork
