"""Quality gates: what is wrong with a film that was just made, where, and what is likely to have done it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from gandream.rendering.store import Store
from gandream.run.causes import Cause, Causes
from gandream.run.flaws import Flaw
from gandream.run.outputs import FilmOutput, PictureOutput
from gandream.video.quality.judge import Finding, judge
from gandream.video.quality.looks import Looks
from gandream.video.quality.timing import timing

MEANT_S = 4.0
"""Seconds of black that the recipe says, up to which nobody need be told of it."""


def flaws_of(output: FilmOutput | PictureOutput, store: Store) -> tuple[Flaw, ...] | None:
    """What is wrong with an output that is finished; None where its segments are gone, so that nobody can tell."""
    looks = output.looks(store)
    return None if looks is None else tuple(_flaws(output, looks))


def _flaws(output: FilmOutput | PictureOutput, looks: Looks) -> Iterator[Flaw]:
    fps = output.reel.fmt.fps
    whole = output.frames == output.prepared.score.trajectory.frames
    closes = whole and output.recipe.video.loop
    causes = Causes(output.prepared)
    for found in judge(looks, float(fps), closes=closes):
        if words := _said(found, looks, causes, output.first, fps):
            yield _flaw(found.kind, output.first + found.start, output.first + found.stop, fps, words)
    if isinstance(output, FilmOutput) and not output.animated:
        sound = output.recipe.audio is not None
        for kind, frame, words in timing(output.target, output.frames, fps, sound=sound):
            what = "the sound" if kind == "sound" else "frames"
            yield _flaw(kind, output.first + frame, output.first + frame + 1, fps, f"{what}: {words}")


def _flaw(kind: str, start: int, stop: int, fps: Fraction, said: str) -> Flaw:
    return Flaw(kind, start, stop, round(float(start / fps), 3), round(float(stop / fps), 3), said)


def _said(found: Finding, looks: Looks, causes: Causes, first: int, fps: Fraction) -> str:
    """A finding in words with its cause; none if it is what the recipe says."""
    start, stop = first + found.start, first + found.stop
    seconds = (found.stop - found.start) / float(fps)
    where = f"{clock(start / fps)} to {clock(stop / fps)}"
    if found.kind == "black":
        cause = causes.black(start, stop)
        return "" if cause.meant and seconds <= MEANT_S else _sentence(f"{where} is black", cause)
    if found.kind == "frozen":
        cause = causes.frozen(start, stop)
        return "" if cause.meant else _sentence(f"{where} stands still", cause)
    if found.kind == "clipped":
        cause = causes.clipped(start, stop)
        burnt = f"{where} is burnt out: {100 * found.amount:.0f} % of the picture is at the end of what a colour can be"
        return "" if cause.meant and seconds <= MEANT_S else _sentence(burnt, cause)
    light = looks.luminance[found.start : found.stop].mean(axis=(1, 2))
    if found.kind == "flicker":
        return _sentence(f"{where} flickers from frame to frame", causes.flickering(light, start))
    if found.kind == "flashes":
        flashes = (
            f"{where} flashes {found.amount:.0f} times in a second, which may harm viewers with photosensitive epilepsy"
        )
        return _sentence(f"{flashes} (WCAG 2.3.1: at most 3)", causes.flickering(light, start))
    seam = f"the loop has a seam: the first frame differs from the last {found.amount:.0f} times as much as frames do"
    return _sentence(seam, causes.seam())


def _sentence(what: str, cause: Cause) -> str:
    return f"{what}{', and' if ': ' in what else ':'} {cause.words}" if cause.words else what


def clock(seconds: Fraction) -> str:
    """``1:05``, or ``1:05.4`` where it isn't a whole second."""
    tenths = int(seconds * 10 + Fraction(1, 2))
    rest = f".{tenths % 10}" if tenths % 10 else ""
    return f"{tenths // 600}:{tenths // 10 % 60:02d}{rest}"
