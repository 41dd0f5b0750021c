"""Effects with a memory: trails and echo. What they remember is bounded, and the same wherever a rendering begins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.effects.geometry import about, transform
from gandream.effects.moment import Past

if TYPE_CHECKING:
    from torch import Tensor

    from gandream.effects.moment import Moment

FAINTEST = 1 / 512
"""A memory of less weight than this is half a step of 8 bits, and cut."""
MOST_FRAMES = 128
"""How far back a memory may reach."""
LOOK_FPS = 30
"""The frame rate at which the numbers of `trails` are told; at others they are converted."""


def per_frame(share: np.ndarray, fps: float) -> np.ndarray:
    """What is left after one frame of what would be left after 1/30 s; at most what is gone within MOST_FRAMES."""
    return np.minimum(share.astype(np.float64) ** (LOOK_FPS / fps), FAINTEST ** (1 / MOST_FRAMES))


def most_trails(fps: float) -> float:
    """The largest share per 1/30 s whose memory is bounded by MOST_FRAMES."""
    return FAINTEST ** (fps / LOOK_FPS / MOST_FRAMES)


def trails_past(values: Mapping[str, np.ndarray], choices: Mapping[str, Any], fps: float) -> Past:
    """The memory begins anew on a grid of frames: at frame f it began in the block before that of f.

    So it reaches back between one and two blocks, a block being the time in which it fades out at its longest, in
    eights of frames. It is a function of the frame's number and the pictures since, whoever rendered what before.
    """
    share = values["trails"]
    left = float(per_frame(share, fps).max())
    block = 0 if left <= 0 else min(MOST_FRAMES, 8 * math.ceil(math.log(FAINTEST) / math.log(left) / 8))

    def since(start: int, stop: int) -> int:
        if not share[start:stop].any():
            return start
        begin = max(0, (start // block - 1) * block)
        forgets = np.flatnonzero(share[begin : start + 1] == 0)  # at such a frame nothing of the past is left
        return begin + int(forgets[-1]) if forgets.size else begin

    return Past(block, since)


def trails(images: Tensor, at: Moment) -> Tensor:
    """Feedback: m' = max(x, fading m) or x + fading (m - x), where m may be enlarged and turned in each step.

    Two memories run: one began with the last block, one with this; the elder is shown (see trails_past).
    """
    import torch

    block = at.choices["past"].frames
    fading, times = per_frame(at.values["trails"], at.fps), LOOK_FPS / at.fps
    shown = []
    for index, frame in enumerate(at.frames.tolist()):
        image, left = images[index : index + 1], float(fading[index])
        elder, younger = at.memory.get("elder"), at.memory.get("younger")
        if left == 0:
            elder = younger = image
        else:
            if frame % block == 0:
                elder, younger = younger, None
            scale, turn = (at.numbers(word)[index] for word in ("zoom", "turn"))
            motion = (scale**-times, math.radians(turn) * times)
            elder, younger = (_step(old, image, left, motion, at.choices["mode"]) for old in (elder, younger))
        at.memory["elder"], at.memory["younger"] = elder, younger
        shown.append(elder)
    return torch.cat(shown) if len(shown) > 1 else shown[0]


def _step(old: Tensor | None, image: Tensor, left: float, motion: tuple[float, float], mode: str) -> Tensor:
    import torch

    if old is None:
        return image
    scale, turn = motion
    if scale != 1 or turn != 0:
        matrix = about(scale * math.cos(turn), -scale * math.sin(turn), (0.0, 0.0))
        old = transform(old, [matrix], "bilinear")
    if mode == "mix":
        return torch.lerp(image, old, left)
    return torch.maximum(image, old.mul(left).add_(left - 1))


def echo_past(values: Mapping[str, np.ndarray], choices: Mapping[str, Any], fps: float) -> Past:
    """The last `repeats` delays."""
    step, repeats = choices["delay"], choices["repeats"]
    heard = values["echo"] > 0

    def since(start: int, stop: int) -> int:
        needed = np.flatnonzero(heard[start:stop])
        return min(start, max(0, start + int(needed[0]) - step * repeats)) if needed.size else start

    return Past(step * repeats, since)


def echo(images: Tensor, at: Moment) -> Tensor:
    """The picture and those of 1, 2 ... delays ago, each weaker by the same factor; kept in half precision."""
    import torch

    step, repeats, mode = (at.choices[word] for word in ("delay", "repeats", "mode"))
    shown, strengths = [], at.numbers("echo")
    for index, frame in enumerate(at.frames.tolist()):
        image, strength = images[index : index + 1], strengths[index]
        out = image
        for repeat in range(1, repeats + 1) if strength else ():
            past = at.memory.get(frame - repeat * step)
            if past is None:
                break
            weight = strength**repeat
            past = past.to(image.dtype)
            out = (
                torch.lerp(out, past, weight / (1 + weight))
                if mode == "mix"
                else torch.maximum(out, past.mul_(weight).add_(weight - 1))
            )
        shown.append(out)
        at.memory[frame] = image.to(torch.float16)
        at.memory.pop(frame - repeats * step, None)
    return torch.cat(shown) if len(shown) > 1 else shown[0]
