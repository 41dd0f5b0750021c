"""Effects that lay something over the picture: text, an image, a colour or an image through a mask."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.effects.colour import LUMA
from gandream.effects.lettering import LARGEST_EM_PX, draw
from gandream.effects.placing import Placed, Pose, Texture, laid, placed

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

FINER = 2
"""Text is drawn so many times finer than it is shown at its largest."""
KEPT = 8
"""Textures that an effect keeps: lyrics have many."""


def text(images: Tensor, at: Moment) -> Tensor:
    """Lines of text; drawn once, then moved, scaled and turned as a picture."""
    height, width = images.shape[2:]
    em = min(FINER * at.choices["drawn"] * height, LARGEST_EM_PX)

    def over(index: int) -> Placed | None:
        written = at.choices["text"].at(int(at.frames[index]))
        size = at.numbers("size")[index] * height
        # Lines are broken by the size at which they are drawn, the largest: so they don't jump while it changes.
        widest = at.choices["wrap"] * width * em / (at.choices["drawn"] * height)

        def make() -> tuple[Texture, float]:
            drawn = draw(written, at.choices["style"].style, em, widest)
            return Texture.of(drawn.pixels, drawn.anchor, images), em / drawn.em_px

        texture, coarser = _texture(at, (written, em, widest), make)
        scale = size / em * coarser
        return _put(at, texture, _pose(at, index, (scale, scale), (height, width)), (height, width), written)

    return _over(images, at, over)


def image(images: Tensor, at: Moment) -> Tensor:
    """A picture from a file, at its place."""
    frame = images.shape[2], images.shape[3]

    def over(index: int) -> Placed | None:
        texture = _texture(at, "image", lambda: Texture.of(at.choices["image"].premultiplied(), None, images))
        scale = at.numbers("size")[index] * frame[0] / texture.size[0]
        return _put(at, texture, _pose(at, index, (scale, scale), frame), frame)

    return _over(images, at, over)


def mask(images: Tensor, at: Moment) -> Tensor:
    """A colour, or a picture that covers the frame, times the light of a mask."""
    frame = images.shape[2], images.shape[3]

    def over(index: int) -> Placed | None:
        texture = _texture(at, "mask", lambda: Texture.of(_light(at.choices["mask"].premultiplied()), None, images))
        times = at.numbers("size")[index]
        sx, sy = fitted(texture.size, frame, at.choices["fit"])
        found = _put(at, texture, _pose(at, index, (sx * times, sy * times), frame), frame)
        share = images.new_zeros(1, 1, *frame)
        if found is not None:
            rows, columns = found.pixels.shape[2:]
            share[:, :, found.top : found.top + rows, found.left : found.left + columns] = found.pixels
        share = 1 - share if at.choices["inverted"] else share
        return Placed(share * at.kept(("behind", frame), lambda: _behind(images, at, frame)), 0, 0)

    return _over(images, at, over)


def fitted(size: tuple[int, int], frame: tuple[int, int], fit: str) -> tuple[float, float]:
    """Pixels per texel, across and down, with which a picture (h, w) fills a frame (H, W)."""
    down, across = frame[0] / size[0], frame[1] / size[1]
    if fit == "stretch":
        return across, down
    both = max(across, down) if fit == "cover" else min(across, down)
    return both, both


def _behind(images: Tensor, at: Moment, frame: tuple[int, int]) -> Tensor:
    """What shows through a mask, premultiplied [1, 4, H, W] (or [1, 4, 1, 1])."""
    import torch

    still = at.choices["image"]
    if still is None:
        return torch.tensor([*at.choices["colour"], 1.0], device=images.device).view(1, 4, 1, 1)
    texture = Texture.of(still.premultiplied(), None, images)
    pose = Pose((frame[1] / 2, frame[0] / 2), fitted(texture.size, frame, "cover"))
    found = placed(texture, pose, frame)
    assert found is not None, "what covers the frame is in sight"
    return found.pixels


def _light(pixels: np.ndarray) -> np.ndarray:
    """Luma of premultiplied colours, [h, w, 1]."""
    return (pixels[..., :3] @ np.array(LUMA, np.float32))[..., None]


def _over(images: Tensor, at: Moment, over: Callable[[int], Placed | None]) -> Tensor:
    out, opacities = images.clone(), at.numbers("opacity")
    for index, opacity in enumerate(opacities):
        if opacity and (found := over(index)) is not None:
            laid(out[index : index + 1], found, opacity, at.choices["blend"])
    return out


def _pose(at: Moment, index: int, scale: tuple[float, float], frame: tuple[int, int]) -> Pose:
    x, y, degrees = (at.numbers(word)[index] for word in ("x", "y", "rotate"))
    return Pose(((x + 1) / 2 * frame[1], (1 - y) / 2 * frame[0]), scale, math.radians(degrees))


def _texture(at: Moment, key: Any, make: Callable[[], Any]) -> Any:
    """A texture made once; of many the latest are kept."""
    kept = at.kept("textures", dict)
    if key not in kept:
        if len(kept) >= KEPT:
            kept.pop(next(iter(kept)))
        kept[key] = make()
    return kept[key]


def _put(at: Moment, texture: Texture, pose: Pose, frame: tuple[int, int], key: Any = None) -> Placed | None:
    """The texture on the frame; while it rests there, once."""
    last = at.memory.get("placed")
    if last is None or last[0] != (pose, frame, key):
        last = at.memory["placed"] = ((pose, frame, key), placed(texture, pose, frame))
    return last[1]
