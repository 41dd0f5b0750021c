"""Flashes that may harm viewers with photosensitive epilepsy, by WCAG 2.2 (2.3.1) and Recommendation ITU-R BT.1702.

A flash is a pair of opposing changes of relative luminance by a tenth of its range or more, where the darker of the two
is below 0.8; more than three in any second, over a quarter of the picture at once, are too many. Flashes of saturated
red, which both count too, aren't looked for.
"""

from __future__ import annotations

import numpy as np

STEP, BRIGHTEST_DARK, AREA = 0.1, 0.8, 0.25
CHANGES = 7
"""Opposing changes in a second that are too many: three flashes are six."""
TOGETHER_S = 0.05
"""Cells that change within this time do so at once, to the eye and to these rules, which leave it open."""


def changes(luminance: np.ndarray, fps: float) -> np.ndarray:
    """The frames, rising, at which a quarter of the picture has become lighter and darker in turn; of [F, H, W]."""
    frames = len(luminance)
    up, down = np.zeros(frames), np.zeros(frames)
    rising = np.zeros(luminance.shape[1:], bool)
    turn = luminance[0].copy()  # the lightest since it rises, the darkest since it falls
    for at in range(1, frames):
        now = luminance[at]
        turn = np.where(rising, np.maximum(turn, now), np.minimum(turn, now))
        step = now - turn
        goes_up = ~rising & (step >= STEP) & (turn < BRIGHTEST_DARK)
        goes_down = rising & (step <= -STEP) & (now < BRIGHTEST_DARK)
        up[at], down[at] = goes_up.mean(), goes_down.mean()
        rising = (rising | goes_up) & ~goes_down
        turn = np.where(goes_up | goes_down, now, turn)
    window = np.ones(max(1, round(TOGETHER_S * fps)))
    lighter, darker = (np.convolve(share, window)[:frames] >= AREA for share in (up, down))
    found, last = list[int](), 0
    for at in np.flatnonzero(lighter | darker):
        now = 1 if lighter[at] and last != 1 else -1 if darker[at] and last != -1 else 0
        if now:
            found.append(int(at))
            last = now
    return np.array(found, int)


def hazards(luminance: np.ndarray, fps: float) -> list[tuple[int, int, int]]:
    """Stretches [start, stop) with too many flashes, and the most flashes that one second of them has."""
    at = changes(luminance, fps)
    found = list[tuple[int, int, int]]()
    for first in range(len(at) - CHANGES + 1):
        within = int(np.searchsorted(at, at[first] + fps)) - first
        if within < CHANGES:
            continue
        start, stop, count = int(at[first]), int(at[first + within - 1]) + 1, (within + 1) // 2
        if found and start <= found[-1][1]:
            before = found.pop()
            start, stop, count = before[0], max(stop, before[1]), max(count, before[2])
        found.append((start, stop, count))
    return found
