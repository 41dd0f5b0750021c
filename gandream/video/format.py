"""What shapes the bytes of a segment besides its pictures: size, frame rate, codec, quality, threads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from gandream.base import ffmpeg
from gandream.video.colour import Subsampling, frame_bytes

REVISION = 1
"""Raised when the arguments below change what the encoder makes of the same pictures."""

LARGEST_NUMERATOR = 1_000_000
"""Of a frame rate: a tick then is a microsecond or more, the finest that all of ffmpeg's steps tell apart."""


@dataclass(frozen=True)
class VideoFormat:
    """How frames become a file: segments of equal :meth:`key` and equal frames are equal byte for byte."""

    width: int
    height: int
    fps: Fraction
    codec: str = "h264"
    crf: float = 17
    """Constant rate factor, 0 (lossless) to 51; 18 is about where no difference is seen."""
    preset: str = "veryfast"
    """How long x264 tries: ``ultrafast`` to ``veryslow``."""
    subsampling: Subsampling = "420"
    threads: int = 8
    """Frame threads of the encoder. They shape its bytes, so the number is never taken from the machine."""
    gop: int = 0
    """Most frames from one key frame to the next; 0 is two seconds."""

    def __post_init__(self) -> None:
        if self.codec != "h264":
            raise ValueError(f"{self.codec = }: only h264 is known")
        if min(self.width, self.height) < 2 or self.fps <= 0 or self.threads < 1 or self.gop < 0:
            raise ValueError(f"{self.width}x{self.height} at {self.fps} fps, {self.threads = }, {self.gop = }")
        if self.subsampling == "420" and (self.width % 2 or self.height % 2):
            raise ValueError(f"{self.width}x{self.height}: 4:2:0 wants even sizes")
        if self.fps.numerator > LARGEST_NUMERATOR:
            raise ValueError(f"{self.fps} fps: write it with a numerator up to {LARGEST_NUMERATOR}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as :func:`gandream.video.colour.planar_yuv` makes it."""
        return frame_bytes(self.width, self.height, self.subsampling)

    @property
    def pix_fmt(self) -> str:
        """What ffmpeg calls the planes."""
        return f"yuv{self.subsampling}p"

    @property
    def timescale(self) -> int:
        """Ticks per second of the pictures: a multiple of the rate's numerator, so a frame is whole ticks."""
        times = 1
        while self.fps.numerator * times < 10_000:  # as ffmpeg's own muxer does; tiny timescales confuse players
            times *= 2
        return self.fps.numerator * times

    @property
    def ticks(self) -> int:
        """Ticks of one frame."""
        return int(self.timescale / self.fps)

    def key(self) -> dict[str, Any]:
        """Everything that shapes the bytes, as plain values for a content key."""
        return {
            **asdict(self),
            "fps": str(self.fps),
            "crf": float(self.crf),
            "revision": REVISION,
            "ffmpeg": ffmpeg.build(),
        }

    def arguments(self, target: str) -> list[str]:
        """What ffmpeg is told, to encode raw planes from its standard input into the file ``target``."""
        # Tagged on both sides: the input's tags tell ffmpeg that nothing is to be converted, the output's
        # reach the stream (VUI) and the container (colr). Chroma at "left" is what H.264 means when it says
        # nothing.
        tags = ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        tags += ["-chroma_sample_location", "left"]
        size, rate = f"{self.width}x{self.height}", str(self.fps)
        # -framerate gives the frames their times; -r keeps ffmpeg from guessing, which made 120 of 120000/1001.
        source = ["-f", "rawvideo", "-pix_fmt", self.pix_fmt, "-video_size", size, "-framerate", rate, "-r", rate]
        coder = ["-c:v", "libx264", "-preset", self.preset, "-crf", f"{self.crf:g}", "-pix_fmt", self.pix_fmt]
        coder += ["-g", str(self.gop or max(1, round(2 * self.fps))), "-threads", str(self.threads), *tags]
        # One movie tick is one track tick: otherwise the edit list is rounded to milliseconds.
        times = ["-video_track_timescale", str(self.timescale), "-movie_timescale", str(self.timescale)]
        outputs = ["-map", "0:v:0", "-fps_mode", "passthrough", *coder, *times, *ffmpeg.BITEXACT, "-f", "mp4"]
        return [*ffmpeg.QUIET, *source, *tags, "-i", "pipe:0", *outputs, "-y", target]
