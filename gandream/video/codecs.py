"""How each codec is written: its encoders in ffmpeg, what they are told, and what a file of it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gandream.video.format import VideoFormat

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
ALL = ("420", "422", "444", "rgb")


@dataclass(frozen=True)
class Encoder:
    """An encoder of ffmpeg."""

    name: str
    arguments: Callable[[VideoFormat], list[str]]
    """What it is told besides size, rate, colours and the distance of key frames."""
    subsamplings: tuple[str, ...] = ALL
    depths: tuple[int, ...] = (8, 10)
    alpha: bool = False
    pix_fmts: tuple[tuple[str, str], ...] = ()
    """What it calls the planes, where that is not our own name."""
    device: tuple[str, ...] = ()
    """Options before the input that find the hardware."""
    filters: tuple[str, ...] = ()
    """What brings the pictures there."""

    def can(self, fmt: VideoFormat) -> bool:
        """Whether it takes such pictures."""
        fits = fmt.subsampling in self.subsamplings and fmt.depth in self.depths
        return fits and (self.alpha or not fmt.alpha)

    def pix_fmt(self, fmt: VideoFormat) -> str:
        """What it calls the planes."""
        return dict(self.pix_fmts).get(fmt.pix_fmt, fmt.pix_fmt)


@dataclass(frozen=True)
class Codec:
    """A codec: the encoders in order of preference, and what its files are."""

    software: tuple[Encoder, ...]
    entry: str
    """The four letters of its sample entry in MP4 and MOV."""
    hardware: tuple[Encoder, ...] = ()
    segment: str = "mp4"
    """In what its segments are kept."""
    tag: tuple[str, ...] = ()
    """Options that give it these letters."""
    seekable: bool = True
    """Whether the distance of key frames is to be told; every frame of the others is one."""


def _step(fmt: VideoFormat) -> int:
    return PRESETS.index(fmt.preset)


def _x264(fmt: VideoFormat) -> list[str]:
    return ["-preset", fmt.preset, "-crf", f"{fmt.crf:g}", "-threads", str(fmt.threads)]


def _x265(fmt: VideoFormat) -> list[str]:
    # Frame threads shape its bytes, and are otherwise taken from the machine; so are thread pools, which don't.
    # Lossless is a mode of its own, not rate factor 0.
    fixed = f"log-level=error:frame-threads=3:pools={fmt.threads}"
    quality = f"{fixed}:lossless=1" if fmt.crf == 0 else fixed
    return ["-preset", fmt.preset, "-crf", f"{fmt.crf:g}", "-x265-params", quality]


def _vp9(fmt: VideoFormat) -> list[str]:
    deadline, effort = (
        *(("realtime", 8), ("realtime", 7), ("realtime", 6), ("good", 5), ("good", 4), ("good", 3), ("good", 2)),
        *(("good", 1), ("good", 0)),
    )[_step(fmt)]
    if fmt.depth > 8 and deadline == "realtime":
        deadline, effort = "good", 5  # in real time it takes the rate factor for another: 30 dB instead of 37
    told = ["-deadline", deadline, "-cpu-used", str(effort), "-crf", f"{fmt.crf:g}", "-b:v", "0"]
    told += ["-row-mt", "1", "-tile-columns", "2", "-threads", str(fmt.threads)]
    told += ["-lossless", "1"] if fmt.crf == 0 else []
    return [*told, "-auto-alt-ref", "0"] if fmt.alpha else told


def _svt(fmt: VideoFormat) -> list[str]:
    effort = (11, 10, 8, 7, 6, 5, 4, 3, 2)[_step(fmt)]
    parameters = f"lp={min(6, fmt.threads)}" + (":lossless=1" if fmt.crf == 0 else "")
    return ["-preset", str(effort), "-crf", f"{fmt.crf:g}", "-svtav1-params", parameters]


def _aom(fmt: VideoFormat) -> list[str]:
    effort = (9, 8, 7, 6, 5, 4, 3, 2, 1)[_step(fmt)]
    usage = "realtime" if effort > 6 else "good"
    told = ["-usage", usage, "-cpu-used", str(effort), "-crf", f"{fmt.crf:g}", "-b:v", "0", "-row-mt", "1"]
    return [*told, "-threads", str(fmt.threads), *(["-aom-params", "lossless=1"] if fmt.crf == 0 else [])]


def _prores(profile: str) -> Callable[[VideoFormat], list[str]]:
    def told(fmt: VideoFormat) -> list[str]:
        alpha = ["-alpha_bits", "16" if fmt.alpha else "0"]
        return ["-profile:v", profile, "-vendor", "apl0", *alpha, "-threads", str(fmt.threads)]

    return told


def _apple(profile: str) -> Callable[[VideoFormat], list[str]]:
    return lambda fmt: ["-profile:v", profile, "-allow_sw", "0"]


def _ffv1(fmt: VideoFormat) -> list[str]:
    # Version 3: checksums, and slices so that several threads decode it. Their number shapes the bytes.
    return ["-level", "3", "-g", "1", "-slices", "4", "-slicecrc", "1", "-threads", str(fmt.threads)]


def _nvenc(fmt: VideoFormat) -> list[str]:
    effort = ("p1", "p1", "p2", "p3", "p4", "p4", "p5", "p6", "p7")[_step(fmt)]
    return ["-preset", effort, "-rc", "vbr", "-cq", f"{fmt.crf:g}", "-b:v", "0"]


def _qsv(fmt: VideoFormat) -> list[str]:
    effort = PRESETS[max(2, _step(fmt))]
    return ["-preset", effort, "-global_quality", f"{max(1, fmt.crf):g}"]


def _amf(fmt: VideoFormat) -> list[str]:
    effort = ("speed", "balanced", "quality")[_step(fmt) // 3]
    return ["-quality", effort, "-rc", "cqp", "-qp_i", f"{fmt.crf:g}", "-qp_p", f"{fmt.crf:g}"]


def _vaapi(fmt: VideoFormat) -> list[str]:
    return ["-rc_mode", "CQP", "-global_quality", f"{max(1, fmt.crf):g}"]


def _videotoolbox(fmt: VideoFormat) -> list[str]:
    # Its quality goes from 1 to 100 (best); 17 of 51 becomes 67.
    return ["-q:v", str(max(1, round(100 - 100 * fmt.crf / 51))), "-allow_sw", "0"]


_SEMIPLANAR = (("yuv420p", "nv12"), ("yuv420p10le", "p010le"))


def _chips(stem: str, kinds: tuple[str, ...], depths: tuple[int, ...]) -> tuple[Encoder, ...]:
    """The hardware encoders of one codec, which ffmpeg calls by its ``stem``, such as ``hevc_nvenc``."""
    rows = {
        "nvenc": Encoder(f"{stem}_nvenc", _nvenc, ("420",), depths, pix_fmts=_SEMIPLANAR[1:]),
        "videotoolbox": Encoder(f"{stem}_videotoolbox", _videotoolbox, ("420",), depths, pix_fmts=_SEMIPLANAR),
        "qsv": Encoder(f"{stem}_qsv", _qsv, ("420",), depths, pix_fmts=_SEMIPLANAR),
        "amf": Encoder(f"{stem}_amf", _amf, ("420",), depths, pix_fmts=_SEMIPLANAR),
        "vaapi": Encoder(
            f"{stem}_vaapi", _vaapi, ("420",), depths, pix_fmts=_SEMIPLANAR, device=("-vaapi_device", RENDER_NODE),
            filters=("hwupload",)
        ),
    }  # fmt: skip
    return tuple(rows[kind] for kind in kinds)


RENDER_NODE = "/dev/dri/renderD128"
_EVERY = ("nvenc", "videotoolbox", "qsv", "amf", "vaapi")
_PACKED = (("gbrp", "bgr0"), ("gbrap", "bgra"))
"""ffv1 keeps 8-bit R'G'B' together, and deeper ones in planes."""

CODECS: dict[str, Codec] = {
    "h264": Codec((Encoder("libx264", _x264, ALL[:3]),), "avc1", _chips("h264", _EVERY, (8,))),
    "h265": Codec(
        (Encoder("libx265", _x265, ALL[:3]),), "hvc1", _chips("hevc", _EVERY, (8, 10)), tag=("-tag:v", "hvc1")
    ),
    "vp9": Codec((Encoder("libvpx-vp9", _vp9, ALL[:3], alpha=True),), "vp09", _chips("vp9", ("qsv", "vaapi"), (8, 10))),
    "av1": Codec(
        (Encoder("libsvtav1", _svt, ("420",)), Encoder("libaom-av1", _aom, ("420", "444"))),
        "av01",
        _chips("av1", ("nvenc", "qsv", "amf", "vaapi"), (8, 10)),
    ),
    "prores": Codec(
        (Encoder("prores_ks", _prores("hq"), ("422",), (10,)),),
        "apch",
        (Encoder("prores_videotoolbox", _apple("hq"), ("422",), (10,), pix_fmts=(("yuv422p10le", "p210le"),)),),
        segment="mov",
        seekable=False,
    ),
    "prores_4444": Codec(
        (Encoder("prores_ks", _prores("4444"), ("444",), (10,), alpha=True),),
        "ap4h",
        (
            Encoder(
                *("prores_videotoolbox", _apple("4444"), ("444",), (10,)),
                alpha=True,
                pix_fmts=(("yuv444p10le", "p410le"), ("yuva444p10le", "ayuv64le")),
            ),
        ),
        segment="mov",
        seekable=False,
    ),
    "ffv1": Codec(
        (Encoder("ffv1", _ffv1, ALL, (8, 10, 16), alpha=True, pix_fmts=_PACKED),), "FFV1", segment="mov", seekable=False
    ),
}
