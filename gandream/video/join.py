"""Segments and sound into the film: pictures are copied, sound is encoded once, the same bytes every time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import OutputError, RenderError
from gandream.base.files import disk_full, published
from gandream.video.boxes import NotWholeError, PictureTrack, picture_track
from gandream.video.format import VideoFormat
from gandream.video.metadata import RECIPE_KEY, write_metadata
from gandream.video.sound import BIT_RATES, Sound, cut, output_facts, probe

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov"}
"""Muxer by the film's suffix."""


def join(
    segments: Sequence[Path],
    frames: Sequence[int],
    fmt: VideoFormat,
    target: Path,
    *,
    sound: Sound | None = None,
    title: str = "",
    recipe_text: str = "",
) -> None:
    """Publish the film of these segments, of so many frames each, with the sound cut or padded to F / fps."""
    if target.suffix.lower() not in CONTAINERS:
        raise OutputError(
            str(target),
            f"a film can't be a {target.suffix or 'file without suffix'}",
            f"It can be {', '.join(CONTAINERS)}.",
        )
    delay = max(track.delay for track in _joinable(segments, frames, fmt))
    duration = sum(frames) / fmt.fps
    scale = fmt.timescale
    arguments = [
        "-protocol_whitelist",
        "file",
        "-f",
        "concat",
        "-safe",
        "0",
        "-auto_convert",
        "0",
        "-i",
        "{list}",
    ]
    arguments += ["-f", "ffmetadata", "-i", "{metadata}"]
    streams = ["-map", "0:v:0", "-c:v", "copy", "-bsf:v", _restamp(fmt, delay)]
    if sound is not None:
        facts = probe(sound.path)
        out = output_facts(facts)
        arguments += ffmpeg.media(sound.path)
        streams += ["-filter_complex", f"[2:a:0]{cut(sound, facts, duration)}[sound]", "-map", "[sound]"]
        streams += ["-c:a", "aac", "-b:a", BIT_RATES[out.channels], "-ar", str(out.rate_hz)]
        # Edit lists, which hide the codecs' delays, are counted in movie ticks: whole ones for both tracks.
        scale = math.lcm(scale, out.rate_hz)
    container = ["-video_track_timescale", str(fmt.timescale), "-movie_timescale", str(min(scale, 2**31 - 1))]
    container += ["-movflags", "+faststart", "-map_metadata", "1", "-map_chapters", "-1", *ffmpeg.BITEXACT]
    with published(target) as part, tempfile.TemporaryDirectory(prefix="gandream-") as folder, _room(target):
        listing, metadata = Path(folder) / "segments.ffconcat", Path(folder) / "metadata.txt"
        listing.write_text("".join(_ffconcat(segments, frames, fmt.fps)), encoding="utf-8", newline="\n")
        write_metadata(metadata, {"title": title, RECIPE_KEY: recipe_text})
        names = {"{list}": ffmpeg.file_url(listing), "{metadata}": ffmpeg.file_url(metadata)}
        inputs = [names.get(argument, argument) for argument in arguments]
        muxer = CONTAINERS[target.suffix.lower()]
        ffmpeg.run(*ffmpeg.QUIET, *inputs, *streams, *container, "-f", muxer, "-y", ffmpeg.file_url(part))
        _check(part, fmt, sum(frames))


def _joinable(segments: Sequence[Path], frames: Sequence[int], fmt: VideoFormat) -> list[PictureTrack]:
    """The segments' tracks; RenderError unless one decoder, set up once, can play them all."""
    if not segments or len(segments) != len(frames):
        raise ValueError(f"{len(segments)} segments, {len(frames)} frame counts")
    tracks = []
    for path, count in zip(segments, frames, strict=True):
        try:
            track = picture_track(path)
        except (NotWholeError, OSError) as error:
            raise RenderError(
                str(path), f"this segment isn't whole: {error}", "Remove it and render again."
            ) from error
        if track.samples != count:
            raise RenderError(
                str(path),
                f"this segment holds {track.samples} frames instead of {count}",
                "Remove it and render again.",
            )
        if track.ticks * fmt.fps != track.timescale:
            raise RenderError(
                str(path),
                f"its frames last {track.ticks}/{track.timescale} s, where the film runs at {fmt.fps} fps",
            )
        if tracks and track.config != tracks[0].config:
            raise RenderError(
                str(path),
                f"its codec data differ from those of {segments[0].name}: they can't be joined as they are",
                "They were made by different encoders or settings. Remove it and render again.",
            )
        tracks.append(track)
    return tracks


def _ffconcat(segments: Sequence[Path], frames: Sequence[int], fps: Fraction) -> Iterator[str]:
    """Lines of the script. It counts in microseconds: ends are rounded, not lengths, so nothing drifts."""
    yield "ffconcat version 1.0\n"
    done, before = 0, 0
    for path, count in zip(segments, frames, strict=True):
        url = ffmpeg.file_url(path)
        if "\n" in url or "\r" in url:
            raise RenderError(repr(url), "ffmpeg can't join files in a folder whose name has line breaks")
        done += count
        end = round(done / fps * 1_000_000)
        # Inside quotes only the quote itself is special.
        yield "file '{}'\nduration {}us\n".format(url.replace("'", "'\\''"), end - before)
        before = end


def _restamp(fmt: VideoFormat, delay: int) -> str:
    """The filter that puts each packet on its exact tick.

    Decoding times of segments don't join: a single frame has no delay, others have that of their B-frames. So
    packet N of the film is decoded at (N - delay) frames, and shown at the whole frame next to what ffconcat
    made of it.
    """
    ticks = fmt.ticks
    return f"setts=dts=(N-{delay})*{ticks}:pts=round(PTS/{ticks})*{ticks}:duration={ticks}"


def _check(path: Path, fmt: VideoFormat, frames: int) -> None:
    """A muxer whose disk is full may still end well."""
    try:
        track = picture_track(path)
    except NotWholeError as error:
        raise RenderError("joining", f"ffmpeg wrote a film that isn't whole: {error}") from error
    if track.samples != frames or track.ticks * fmt.fps != track.timescale:
        raise RenderError(
            "joining",
            f"ffmpeg wrote {track.samples} frames of {track.ticks}/{track.timescale} s instead of {frames}",
        )


@contextmanager
def _room(target: Path) -> Iterator[None]:
    """A full disk has its own words."""
    try:
        yield
    except RenderError as error:
        if ffmpeg.out_of_room(error.problem.encode()):
            raise disk_full(target) from error
        raise
