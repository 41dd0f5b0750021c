"""Which encoder makes a film: the software's, or one of the graphics chip's that was tried and works."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.video.codecs import Encoder
from gandream.video.format import VideoFormat

TRIED = (320, 240, 4)
"""Width, height and frames of the trial: some chips take nothing smaller."""


class NoHardwareError(RenderError):
    """No hardware encoder works for this format; the problem lists what was tried."""


def chosen(fmt: VideoFormat, kind: str) -> tuple[VideoFormat, str]:
    """The format with its encoder named, for ``software``, ``hardware`` or ``auto``; and a warning, or nothing.

    NoHardwareError where ``hardware`` is wanted and none works; RenderError where this ffmpeg lacks the software's.
    """
    if kind == "software":
        return replace(fmt, encoder=fmt.coder.name), ""
    tried: list[str] = []
    for encoder in fmt.row.hardware:
        why = "not in this ffmpeg"
        if not encoder.can(fmt):
            why = f"not with {fmt.pix_fmt}"
        elif encoder.name in ffmpeg.encoders():
            why = _refusal(encoder, replace(fmt, encoder=encoder.name))
        if not why:
            return replace(fmt, encoder=encoder.name), ""
        tried.append(f"{encoder.name} ({why})")
    problem = (
        f"no hardware here encodes {fmt.codec}: {', '.join(tried)}" if tried else f"no hardware encodes {fmt.codec}"
    )
    if kind == "hardware":
        raise NoHardwareError(fmt.codec, problem, "Take `encoder: software`, or `auto`.")
    made = replace(fmt, encoder=fmt.coder.name)
    return made, f"{problem}; {made.encoder} takes its place"


def _refusal(encoder: Encoder, fmt: VideoFormat) -> str:
    """Why an encoder can't make such a film; nothing if it can."""
    width, height, _ = TRIED
    return _tried(encoder.name, replace(fmt, width=width, height=height, fps=Fraction(25)))


@functools.lru_cache(64)
def _tried(name: str, fmt: VideoFormat) -> str:
    """Encode a few grey frames; gives ffmpeg's words where that fails."""
    import numpy as np

    from gandream.video.tracks import check

    frames = TRIED[2]
    with tempfile.TemporaryDirectory(prefix="gandream-") as folder:
        target, raw = Path(folder, f"tried{fmt.segment}"), Path(folder, "grey.raw")
        raw.write_bytes(np.full(fmt.frame_bytes * frames, 128, np.uint8).tobytes())
        arguments = [ffmpeg.file_url(raw) if one == "pipe:0" else one for one in fmt.arguments(ffmpeg.file_url(target))]
        try:
            ffmpeg.run(*arguments)
            check(target, fmt, frames)
        except RenderError as error:
            return error.problem.split(" / ")[0]
    return ""
