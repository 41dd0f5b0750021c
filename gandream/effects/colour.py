"""Effects on the colour of each pixel. Pictures are display values in [-1, 1]; -1 is black, 1 is white.

Reductions over a frame are made frame by frame and row by row, so that a frame's bytes depend neither on its batch nor
on the number of threads.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

LUMA = (0.2126, 0.7152, 0.0722)
"""Of BT.709 (3.2)."""
GREY = (0.299, 0.587, 0.114)
"""Of Rec. 601, as in Pillow's "L", whose mean is the pivot of its contrast."""
DISPLAY_GAMMA = 2.4
"""Of the display that video is made for (BT.1886): light is v ** 2.4."""


def luma(images: Tensor) -> Tensor:
    """Y' of BT.709, [N, 1, H, W]."""
    red, green, blue = images.split(1, dim=1)
    return (red * LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


def contrast(images: Tensor, at: Moment) -> Tensor:
    """p + c (x - p) about mid-grey, or about the frame's mean grey as PIL.ImageEnhance.Contrast has it."""
    import torch

    factor = at.at("contrast", images)
    out = images * factor
    if at.choices["about"] == "mean":
        weights = images.new_tensor(GREY)
        means = [(frame.mean(dim=2).mean(dim=1) * weights).sum() for frame in images]
        out += torch.stack(means).view(-1, 1, 1, 1) * (1 - factor)
    return out.clamp_(-1, 1)


def brightness(images: Tensor, at: Moment) -> Tensor:
    """Light times g: v' = (g v^2.4)^(1/2.4) = g^(1/2.4) v, with v the display value in [0, 1]."""
    gain = at.at("brightness", images).pow(1 / DISPLAY_GAMMA)
    return (images * gain).add_(gain - 1).clamp_(-1, 1)


def saturation(images: Tensor, at: Moment) -> Tensor:
    """Y' + s (x - Y')."""
    import torch

    return torch.lerp(luma(images), images, at.at("saturation", images)).clamp_(-1, 1)


def hue(images: Tensor, at: Moment) -> Tensor:
    """Turn the plane of (Cb, Cr) of BT.709; colours that leave the cube are drawn toward grey of the same luma."""
    import torch

    turns = [math.radians(degrees) for degrees in at.numbers("hue")]
    cos, sin = (images.new_tensor([f(turn) for turn in turns]).view(-1, 1, 1, 1) for f in (math.cos, math.sin))
    grey = luma(images)
    red, blue = images[:, :1] - grey, images[:, 2:] - grey  # 1.5748 Cr, 1.8556 Cb
    ratio = 1.8556 / 1.5748
    # Red lies at 103 degrees of (Cb, Cr), yellow at 175, green at 230: the hue grows with the angle.
    new_red = red * cos + blue * (sin / ratio)
    new_blue = blue * cos - red * (sin * ratio)
    green = (new_red * -LUMA[0]).sub_(new_blue, alpha=LUMA[2]).div_(LUMA[1])
    colours = torch.cat([new_red, green, new_blue], dim=1)
    high, low = colours.amax(dim=1, keepdim=True), colours.amin(dim=1, keepdim=True)
    room = torch.minimum((1 - grey) / high.clamp_(min=1e-6), (1 + grey) / low.neg_().clamp_(min=1e-6))
    return colours.mul_(room.clamp_(max=1)).add_(grey).clamp_(-1, 1)


def flash(images: Tensor, at: Moment) -> Tensor:
    """Mix with a colour; or as lucid-sonic-dreams, which rescales [0, 1 - flash] to [0, 1]."""
    import torch

    amount, colour = at.at("flash", images), at.colour(images)
    if at.choices["mode"] == "mix":
        return torch.lerp(images, colour, amount)
    gain = 1 / (1 - amount * (colour + 1) / 2).clamp(min=1e-3)
    return (images * gain).add_(gain - 1).clamp_(-1, 1)


def invert(images: Tensor, at: Moment) -> Tensor:
    """The negative is -x."""
    return images * (1 - 2 * at.at("invert", images))


def gamma(images: Tensor, at: Moment) -> Tensor:
    """v' = v^(1 / gamma)."""
    return images.add(1).div_(2).clamp_(0, 1).pow_(1 / at.at("gamma", images)).mul_(2).sub_(1)


def auto_levels(images: Tensor, at: Moment) -> Tensor:
    """Stretch each frame's least and greatest value, of all colours together, to black and white (scipy's toimage)."""
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    span, amount = (high - low) / 2, at.at("auto_levels", images)
    flat = span < 1 / 255  # nothing to stretch but rounding
    gain, offset = (1 / span).masked_fill(flat, 1), (-1 - low / span).masked_fill(flat, 0)
    return (images * (1 + amount * (gain - 1))).add_(amount * offset).clamp_(-1, 1)


def posterise(images: Tensor, at: Moment) -> Tensor:
    """Round each colour to n equidistant values, black and white among them."""
    half = (at.at("posterise", images) - 1) / 2
    return images.add(1).mul_(half).round_().div_(half).sub_(1)


def fade(images: Tensor, at: Moment) -> Tensor:
    """Mix with a colour."""
    import torch

    return torch.lerp(images, at.colour(images), at.at("fade", images))
