"""What shapes the bytes of a segment besides its pictures: size, frame rate, codec, quality, threads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from gandream.base import ffmpeg
from gandream.base.errors import RenderError, listed
from gandream.video.codecs import CODECS, Codec, Encoder
from gandream.video.colour import Subsampling, frame_bytes

REVISION = 1
"""Raised when the arguments below change what the encoder makes of the same pictures."""

OTHER_FFMPEG = "Unset IMAGEIO_FFMPEG_EXE, or pip install --force-reinstall imageio-ffmpeg; or take another codec."
"""What to do where an encoder is missing."""


class NoEncoderError(RenderError):
    """This ffmpeg can't write what is asked of it."""


LARGEST_NUMERATOR = 1_000_000
"""Of a frame rate: a tick then is a microsecond or more, the finest that all of ffmpeg's steps tell apart."""


@dataclass(frozen=True)
class VideoFormat:
    """How frames become a file: segments of equal :meth:`key` and equal frames are equal byte for byte."""

    width: int
    height: int
    fps: Fraction
    codec: str = "h264"
    """A key of CODECS."""
    crf: float = 17
    """Constant rate factor: 0 is lossless, about 18 is where no difference is seen. Some codecs have none."""
    preset: str = "veryfast"
    """How long the encoder tries: ``ultrafast`` to ``veryslow``."""
    subsampling: Subsampling = "420"
    threads: int = 8
    """Threads of the encoder. They may shape its bytes, so the number is never taken from the machine."""
    gop: int = 0
    """Most frames from one key frame to the next; 0 is two seconds."""
    depth: int = 8
    """Bits of each value, 8, 10 or 16; those beyond 8 take two bytes, the lower first."""
    alpha: bool = False
    """Whether there is a plane of opacity."""
    encoder: str = ""
    """ffmpeg's name of the encoder, fixed when the film is planned; else the first of the codec's that is here."""

    def __post_init__(self) -> None:
        if self.codec not in CODECS:
            raise ValueError(f"{self.codec = }: known are {listed(CODECS)}")
        if min(self.width, self.height) < 2 or self.fps <= 0 or self.threads < 1 or self.gop < 0:
            raise ValueError(f"{self.width}x{self.height} at {self.fps} fps, {self.threads = }, {self.gop = }")
        frame_bytes(self.width, self.height, self.subsampling, self.depth, self.alpha)  # it refuses odd sizes
        if self.fps.numerator > LARGEST_NUMERATOR:
            raise ValueError(f"{self.fps} fps: write it with a numerator up to {LARGEST_NUMERATOR}")
        if not any(encoder.can(self) for encoder in self.row.software):
            raise ValueError(f"{self.codec} has no {self.pix_fmt}")

    @property
    def row(self) -> Codec:
        """The codec."""
        return CODECS[self.codec]

    @property
    def coder(self) -> Encoder:
        """The encoder that is named, or the first that is here and can; RenderError where none is."""
        if self.encoder:
            return next(one for one in (*self.row.software, *self.row.hardware) if one.name == self.encoder)
        able = [one for one in self.row.software if one.can(self)]
        for one in able:
            if one.name in ffmpeg.encoders():
                return one
        missing = listed(one.name for one in able)
        raise NoEncoderError(self.codec, f"this ffmpeg was built without {missing}", OTHER_FFMPEG)

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as :func:`gandream.video.colour.planes` makes it."""
        return frame_bytes(self.width, self.height, self.subsampling, self.depth, self.alpha)

    @property
    def pix_fmt(self) -> str:
        """What ffmpeg calls the planes."""
        deep = "" if self.depth == 8 else f"{self.depth}le"
        if self.subsampling == "rgb":
            return f"gbr{'a' * self.alpha}p{deep}"
        return f"yuv{'a' * self.alpha}{self.subsampling}p{deep}"

    @property
    def segment(self) -> str:
        """The suffix of segments. What is transparent in VP9 lies beside its frames, which MP4 has no place for."""
        return ".mkv" if self.codec == "vp9" and self.alpha else f".{self.row.segment}"

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
            "encoder": self.coder.name,
            "revision": REVISION,
            "ffmpeg": ffmpeg.build(),
        }

    def arguments(self, target: str) -> list[str]:
        """What ffmpeg is told, to encode raw planes from its standard input into the file ``target``."""
        coder, size, rate = self.coder, f"{self.width}x{self.height}", str(self.fps)
        # -framerate gives the frames their times; -r keeps ffmpeg from guessing, which made 120 of 120000/1001.
        source = ["-f", "rawvideo", "-pix_fmt", self.pix_fmt, "-video_size", size, "-framerate", rate, "-r", rate]
        told = ["-c:v", coder.name, *coder.arguments(self), "-pix_fmt", coder.pix_fmt(self)]
        told += ["-g", str(self.gop or max(1, round(2 * self.fps)))] if self.row.seekable else []
        told += ["-vf", ",".join([f"format={coder.pix_fmt(self)}", *coder.filters])] if coder.filters else []
        # One movie tick is one track tick: otherwise the edit list is rounded to milliseconds.
        times = ["-video_track_timescale", str(self.timescale), "-movie_timescale", str(self.timescale)]
        muxer = ["-f", "matroska"] if self.segment == ".mkv" else [*times, "-f", self.segment[1:]]
        outputs = ["-map", "0:v:0", "-fps_mode", "passthrough", *told, *self.tags(), *self.row.tag, *ffmpeg.BITEXACT]
        return [*ffmpeg.QUIET, *coder.device, *source, *self.tags(), "-i", "pipe:0", *outputs, *muxer, "-y", target]

    def tags(self) -> list[str]:
        """What ffmpeg is told of the colours.

        Said of both sides: the input's tags tell ffmpeg that nothing is to be converted, the output's reach the stream
        (VUI) and the container (colr). Chroma at "left" is what H.264 means when it says nothing.
        """
        matrix = ["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        if self.subsampling == "rgb":
            matrix = ["-color_range", "pc", "-colorspace", "rgb", "-color_primaries", "bt709"]
            return [*matrix, "-color_trc", "iec61966-2-1"]
        return [*matrix, "-chroma_sample_location", "left"]
