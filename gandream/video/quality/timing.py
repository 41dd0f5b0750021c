"""Whether a finished file plays as it was planned: every frame at its time, and the sound with the first of them."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from gandream.video.facts import Streams, streams_of

TICK_S = Fraction(1, 1000)
"""Seconds by which times may be rounded: Matroska's tick."""
MOST = 3
"""How many frames are named."""


def timing(path: Path, frames: int, fps: Fraction, *, sound: bool) -> list[tuple[str, int, str]]:
    """What differs from the plan: ``dropped`` or ``sound``, at which frame, and in words."""
    return [*differences(streams_of(path), frames, fps, sound=sound)]


def differences(found: Streams, frames: int, fps: Fraction, *, sound: bool) -> Iterator[tuple[str, int, str]]:
    """As :func:`timing`, of streams that were read."""
    times, half = found.times_s, 1 / (2 * fps)
    if len(times) != frames:
        yield "dropped", min(len(times), frames), f"the file has {len(times)} frames, and {frames} were made"
    begin = times[0] if times else Fraction(0)
    late = [at for at, time in enumerate(times) if abs(time - begin - at / fps) > TICK_S]
    if late:
        most = max(abs(times[at] - begin - at / fps) for at in late)
        which = ", ".join(map(str, late[:MOST])) + (", ..." if len(late) > MOST else "")
        many = f"{len(late)} frames aren't shown at their" if len(late) > 1 else "1 frame isn't shown at its"
        yield "dropped", late[0], f"{many} time (frame {which}): up to {1000 * float(most):.0f} ms off"
    if not sound:
        return
    if not found.rate_hz:
        yield "sound", 0, "the file has no sound, and the recipe has"
        return
    offset = found.sound_at_s - begin
    if abs(offset) > half:
        yield (
            "sound",
            0,
            f"it begins {1000 * abs(float(offset)):.0f} ms {'after' if offset > 0 else 'before'} the picture",
        )
    missing = Fraction(frames) / fps - found.sound_s
    if abs(missing) > max(half, Fraction(1, 20)):
        length = f"{float(found.sound_s):.3f} s of {float(frames / fps):.3f} s"
        yield "sound", max(0, frames - 1), f"it is too {'short' if missing > 0 else 'long'}: {length}"
