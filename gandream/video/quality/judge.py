"""What is wrong with a film, judged by the looks of its frames: stretches that are black, stand still, clip or flicker.

The thresholds are far from what films are that nobody would mend: a false alarm costs more trust than a missed one.
Measured on all recipes that ship: see the reason of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gandream.video.quality.flashes import hazards
from gandream.video.quality.looks import CHANGE_UNIT, Looks

Kind = Literal["black", "frozen", "clipped", "flicker", "flashes", "seam"]

BLACK, BLACK_S = 254, 0.5
"""Of 255 points those that are black in a black frame (no stray title is lost in 72 x 72), and its shortest stretch: a
cut through black takes less."""
FROZEN, CELL_NOISE, FROZEN_S = 1.5, 3, 2.0
"""Mean change, in display values, that a frame which stands still may have, and steps of any cell against the first of
them: encoders refine what stands still for some ten frames, and again after each key frame. And the shortest stretch:
below it, it is a rhythm."""
WHITE, FULL, CLIPPED_S = 0.6, 0.25, 2.0
"""Share of points that are white, or of which one or two colours are at their end and the third isn't; and the shortest
stretch: a flash is shorter. White grounds are common in what models learn from. Full colours fill 0.02 of what models
make as they were trained, at most 0.15 in the recipes that ship, 0.2 to 0.5 at a truncation of 2 or brightness of 8."""
FLICKER, FLICKER_AREA, FLICKER_FRAMES = 4, 0.25, 8
"""Steps of a cell that go up and down from frame to frame, in so many of its cells, for so many frames: four times to
and fro is no rhythm any more."""
SEAM, SEAM_TIMES = 4.0, 3.0
"""Steps from the last frame to the first that are seen, and how often those of the fastest frames."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong in frames [start, stop) of the looks."""

    kind: Kind
    start: int
    stop: int
    amount: float = 0.0
    """Of clipped colours the share, of flashes those in a second, of a seam the times of what is usual."""


def judge(looks: Looks, fps: float, *, closes: bool = False) -> list[Finding]:
    """What is wrong, in the order of time; ``closes``: the film is to be played round and round."""
    black = _black(looks, fps)
    still = [one for one in _frozen(looks, fps) if not any(_meets(one, other) for other in black)]
    flashes = [Finding("flashes", *one) for one in hazards(looks.luminance, fps)]
    flicker = [one for one in _flicker(looks) if not any(_meets(one, other) for other in flashes)]
    found = [*black, *still, *_clipped(looks, fps), *flashes, *flicker, *(_seam(looks) if closes else ())]
    return sorted(found, key=lambda one: (one.start, one.kind))


def _meets(one: Finding, other: Finding) -> bool:
    return one.start < other.stop and other.start < one.stop


def _black(looks: Looks, fps: float) -> list[Finding]:
    return [Finding("black", *run) for run in runs(looks.dark >= BLACK, BLACK_S * fps)]


def _frozen(looks: Looks, fps: float) -> Iterator[Finding]:
    """Against the stretch's first frame too: what moves slowly enough for any frame doesn't stand still."""
    for start, stop in runs(np.append(looks.change[1:] * CHANGE_UNIT <= FROZEN, False), FROZEN_S * fps):
        at = start
        while at < stop:
            apart = np.abs(looks.light[at : stop + 1].astype(np.int16) - looks.light[at]).max(axis=(1, 2))
            moved = np.flatnonzero(apart > CELL_NOISE)
            end = at + int(moved[0]) if len(moved) else stop + 1
            if end - at >= FROZEN_S * fps:
                yield Finding("frozen", at, end)
            at = end


def _clipped(looks: Looks, fps: float) -> list[Finding]:
    white, full = looks.white / 255, looks.full / 255
    return [
        Finding("clipped", start, stop, float((white + full)[start:stop].mean()))
        for start, stop in runs((white >= WHITE) | (full >= FULL), CLIPPED_S * fps)
    ]


def _flicker(looks: Looks) -> list[Finding]:
    steps = np.diff(looks.light.astype(np.int16), axis=0)
    large = np.abs(steps) >= FLICKER
    turns = (steps[1:] * steps[:-1] < 0) & large[1:] & large[:-1]
    area = turns.mean(axis=(1, 2)) if len(turns) else np.zeros(0)
    return [Finding("flicker", start, stop + 2) for start, stop in runs(area >= FLICKER_AREA, FLICKER_FRAMES)]


def _seam(looks: Looks) -> Iterator[Finding]:
    if looks.frames < 3:
        return
    light = looks.light.astype(np.int16)
    apart, usual = np.abs(light[0] - light[-1]).mean(), np.abs(np.diff(light, axis=0)).mean(axis=(1, 2))
    most = float(np.sort(usual)[-max(1, len(usual) // 50)])  # the fastest of fifty: one cut is no measure
    if apart >= SEAM and apart >= SEAM_TIMES * most:
        yield Finding("seam", looks.frames - 1, looks.frames, float(apart / max(most, 1 / 8)))


def runs(true: np.ndarray, least: float) -> list[tuple[int, int]]:
    """The stretches [start, stop) of booleans that are true for ``least`` entries or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, stop) for start, stop in pairs if stop - start >= least]
