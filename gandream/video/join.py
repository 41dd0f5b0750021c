"""Segments and sound into the film: pictures are copied, sound is encoded once, the same bytes every time."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import OutputError, RenderError
from gandream.base.files import published, temporary_beside
from gandream.video.boxes import NotWholeError
from gandream.video.format import VideoFormat
from gandream.video.metadata import RECIPE_KEY, write_metadata
from gandream.video.sound import CODERS, Sound, disk_words, encode_sound, probe
from gandream.video.tracks import Track, check, track_of

CONTAINERS = {
    ".mp4": ("-f", "mp4", "-movflags", "+faststart"),
    ".m4v": ("-f", "mp4", "-movflags", "+faststart"),
    # QuickTime's own place for comments ends at 64 kB; its newer metadata keys don't.
    ".mov": ("-f", "mov", "-movflags", "+faststart+use_metadata_tags"),
    # Times count from 0, and what lies before it stays before it.
    ".mkv": ("-f", "matroska", "-avoid_negative_ts", "disabled"),
    ".webm": ("-f", "webm", "-avoid_negative_ts", "disabled"),
}
"""Muxer and its options by the film's suffix."""

REVISION = 1
"""Raised when the same segments and the same sound become another file."""

MASTERS = ("prores", "prores_4444", "ffv1")
"""Codecs of films that will be edited: their sound loses nothing either."""

AGAIN = "Remove it and run the same command again: it is made anew."


def join(
    segments: Sequence[Path],
    frames: Sequence[int],
    fmt: VideoFormat,
    target: Path,
    *,
    sound: Sound | Path | None = None,
    title: str = "",
    recipe_text: str = "",
) -> None:
    """Publish the film of these segments, of so many frames each, with the sound cut or padded to F / fps.

    ``sound`` may be a file that :func:`encoded` made for this duration before.
    """
    suffix = target.suffix.lower()
    if suffix not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        raise OutputError(str(target), f"a film can't be a {suffix or 'file without suffix'}", f"It can be {known}.")
    delay = max(track.delay for track in _joinable(segments, frames, fmt))
    with (
        published(target) as part,
        tempfile.TemporaryDirectory(prefix="gandream-") as folder,
        disk_words(target),
        ExitStack() as until_joined,
    ):
        part.touch()  # that a folder can't be written is told by us better than by ffmpeg
        listing, metadata = Path(folder, "segments.ffconcat"), Path(folder, "metadata.txt")
        listing.write_text("".join(_ffconcat(segments, frames, fmt.fps)), encoding="utf-8", newline="\n")
        write_metadata(metadata, RECIPE_KEY, recipe_text)
        inputs = ["-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-auto_convert", "0"]
        inputs += ["-i", ffmpeg.file_url(listing), "-f", "ffmetadata", "-i", ffmpeg.file_url(metadata)]
        streams = ["-map", "0:v:0", "-c:v", "copy", *fmt.row.tag, *fmt.tags(), "-bsf:v", _restamp(fmt, delay)]
        scale = fmt.timescale
        if isinstance(sound, Sound):
            heard = encoded(sound, sum(frames) / fmt.fps, target, fmt)
            sound = until_joined.enter_context(heard)
        if sound is not None:
            inputs += ffmpeg.media(sound)
            streams += ["-map", "2:a:0", "-c:a", "copy"]
            # Edit lists say in movie ticks how long a track is shown: whole ones for frames and for samples.
            exact = math.lcm(fmt.fps.numerator, probe(sound).rate_hz)
            scale = exact if exact < 2**31 else scale
        words = ["-map_chapters", "-1", "-map_metadata", "1", "-metadata", f"title={title}"]
        times = ["-video_track_timescale", str(fmt.timescale), "-movie_timescale", str(scale)]
        outputs = [*streams, *words, *times, *ffmpeg.BITEXACT, *CONTAINERS[suffix], "-y", ffmpeg.file_url(part)]
        ffmpeg.run(*ffmpeg.QUIET, *inputs, *outputs)
        check(part, fmt, sum(frames), "joining", "film")


@contextmanager
def encoded(sound: Sound, duration_s: Fraction, target: Path, fmt: VideoFormat) -> Iterator[Path]:
    """The sound of the film at ``target`` as a file, for as long as it is wanted.

    It waits beside the film: where temporary files are is often memory, and an hour without loss is a gigabyte.
    """
    coding = sound_coding(target.suffix, fmt)
    kept = temporary_beside(target.with_suffix(CODERS[coding].suffix))
    try:
        yield encode_sound(sound, duration_s, kept, coding, named=target)
    finally:
        kept.unlink(missing_ok=True)


def _joinable(segments: Sequence[Path], frames: Sequence[int], fmt: VideoFormat) -> list[Track]:
    """The segments' tracks; RenderError unless one decoder, set up once, can play them all."""
    if not segments or len(segments) != len(frames):
        raise ValueError(f"{len(segments)} segments, {len(frames)} frame counts")
    tracks: list[Track] = []
    for path, count in zip(segments, frames, strict=True):
        try:
            track = track_of(path)
        except (NotWholeError, OSError) as error:
            raise RenderError(str(path), f"this segment isn't whole: {error}", AGAIN) from error
        tracks.append(track)
        if track.samples != count:
            raise RenderError(str(path), f"it holds {track.samples} frames instead of {count}", AGAIN)
        if not track.runs_at(fmt.fps):
            problem = f"it has {track.rate} frames a second, where the film runs at {fmt.fps} fps"
            raise RenderError(str(path), problem, AGAIN)
        if track.config != tracks[0].config:
            other = segments[0].name
            raise RenderError(str(path), f"its codec data differ from those of {other}: they can't be joined", AGAIN)
    return tracks


def _ffconcat(segments: Sequence[Path], frames: Sequence[int], fps: Fraction) -> Iterator[str]:
    """Lines of the script. It counts in microseconds: ends are rounded, not lengths, so nothing drifts."""
    yield "ffconcat version 1.0\n"
    done, before = 0, 0
    for path, count in zip(segments, frames, strict=True):
        url = ffmpeg.file_url(path)
        if "\n" in url or "\r" in url:
            raise RenderError(repr(url), "ffmpeg can't join files in a folder whose name has line breaks", "Rename it.")
        done += count
        end = round(done / fps * 1_000_000)
        # Inside quotes only the quote itself is special.
        yield "file '{}'\nduration {}us\n".format(url.replace("'", "'\\''"), end - before)
        before = end


def _restamp(fmt: VideoFormat, delay: int) -> str:
    """The filter that puts each packet on its exact tick.

    Decoding times of segments don't join: a single frame has no delay, others have that of their B-frames. So
    packet N of the film is decoded at (N - delay) frames, and shown at the whole frame next to what ffconcat
    made of it. Segments in Matroska know milliseconds only, and have no B-frames: there it is N frames.
    """
    ticks = fmt.ticks
    if fmt.segment == ".mkv":
        at = f"floor({{}}*{1000 * fmt.fps.denominator}/{fmt.fps.numerator}+0.5)"
        return f"setts=ts={at.format('N')}:duration={at.format('(N+1)')}-{at.format('N')}"
    return f"setts=dts=(N-{delay})*{ticks}:pts=round(PTS/{ticks})*{ticks}:duration={ticks}"


def sound_coding(suffix: str, fmt: VideoFormat) -> str:
    """How the sound of a film is coded, by its suffix: a key of CODERS."""
    return "opus" if suffix.lower() == ".webm" else "pcm" if fmt.codec in MASTERS else "aac"
