"""The picture track of a file that we wrote, whatever container it is."""

from __future__ import annotations

from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import RenderError
from gandream.video.boxes import NotWholeError, PictureTrack, picture_track
from gandream.video.format import VideoFormat
from gandream.video.matroska import MatroskaTrack, matroska_track
from gandream.video.quality.beside import points_in
from gandream.video.quality.looks import SAMPLED, Looks, looks_of

Track = PictureTrack | MatroskaTrack

AGAIN = "Run the same command again, which makes it anew; if it stays so, `gandream doctor` says which ffmpeg this is."


def track_of(path: Path) -> Track:
    """The picture track of a segment or film; NotWholeError where the file is cut off."""
    return matroska_track(path) if path.suffix.lower() in (".mkv", ".webm") else picture_track(path)


def check(path: Path, fmt: VideoFormat, frames: int, where: str = "encoder", what: str = "segment") -> Track:
    """RenderError unless the file holds exactly these frames: a killed encoder's is valid but shorter."""
    try:
        track = track_of(path)
    except NotWholeError as error:
        raise RenderError(where, f"ffmpeg wrote a {what} that isn't whole: {error}", AGAIN) from error
    found = f"{track.samples} frames of {track.codec} {track.width}x{track.height} at {track.rate} fps"
    wanted = f"{frames} frames of {fmt.row.entry} {fmt.width}x{fmt.height} at {float(fmt.fps):.6g} fps"
    same = (track.samples, track.codec, track.width, track.height) == (frames, fmt.row.entry, fmt.width, fmt.height)
    if not same or not track.runs_at(fmt.fps) or not track.starts_with_key:
        raise RenderError(where, f"ffmpeg wrote {found} instead of {wanted}", AGAIN)
    return track


def check_decodes(path: Path, frames: int, where: str = "encoder") -> Looks:
    """RenderError unless a decoder makes all frames of the file, and finds nothing wrong with any; gives their looks.

    It costs one to three milliseconds a frame of 512x512 H.264, on the thread that ends segments.
    """
    strict = ("-xerror", "-err_detect", "explode", "-threads", "2")
    told = ("-map", "0:v:0", "-fps_mode", "passthrough", "-vf", SAMPLED, "-f", "rawvideo", "-")
    try:
        points = points_in(ffmpeg.run(*ffmpeg.QUIET, *strict, *ffmpeg.media(path), *told))
    except RenderError as error:
        raise RenderError(
            where, f"ffmpeg wrote a segment that can't be decoded: {error.problem}", error.hint
        ) from error
    if len(points) != frames:
        raise RenderError(where, f"of the {frames} frames that ffmpeg wrote, {len(points)} can be decoded", AGAIN)
    return looks_of(points)
