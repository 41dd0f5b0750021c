"""The StyleGAN2 as a ``Generator``."""

from __future__ import annotations

from torch import Tensor

from gandream.models.regions import Regions
from gandream.models.spec import Inputs
from gandream.models.style.from_constant import FromConstant
from gandream.models.stylegan2.synthesis import SynthesisNetwork


class StyleGAN2(FromConstant):
    """A StyleGAN2 of any size."""

    network = SynthesisNetwork

    def more(self, inputs: Inputs | Tensor) -> tuple[Regions]:
        """Latents that differ between regions of the frame."""
        return (Regions(inputs.regions if isinstance(inputs, Inputs) else ()),)
