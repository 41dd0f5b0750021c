"""The film's sound: cut to the sample from the original file, and encoded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from gandream.base import ffmpeg
from gandream.base.errors import AudioError, RenderError
from gandream.base.files import disk_full, published

REVISION = 1
"""Raised when the same music becomes another sound."""

KEPT_RATES_HZ = (44_100, 48_000)
"""Other rates become 48 kHz, which every player and every container takes."""


@dataclass(frozen=True)
class SoundCoder:
    """How sound is coded."""

    options: tuple[str, ...]
    bit_rates: tuple[str, str] | None
    """Of mono and of stereo; None: nothing is lost."""
    muxer: tuple[str, ...]
    """The file in which it waits for the pictures."""
    suffix: str
    rates_hz: tuple[int, ...] = KEPT_RATES_HZ
    sample_fmt: str = "fltp"


CODERS = {
    # Measured on music at 320 kb/s against ffmpeg's defaults: distance 31 instead of 28 dB, in less than half the time.
    # Noise substitution and intensity stereo save bits that are there; the two-loop search stops where it takes the
    # difference to be inaudible, far below the bit rate that it was given. AAC-LC at 44.1 kHz can't hold more than
    # 264 kb/s in one channel (6144 bits a frame).
    "aac": SoundCoder(
        ("-c:a", "aac", "-aac_coder", "fast", "-aac_pns", "0", "-aac_is", "0"), ("256k", "320k"), ("-f", "mp4"), ".m4a"
    ),
    # One channel of Opus holds 256 kb/s at most.
    "opus": SoundCoder(
        ("-c:a", "libopus"), ("256k", "320k"), ("-f", "matroska"), ".mka", KEPT_RATES_HZ[-1:], sample_fmt="flt"
    ),
    "pcm": SoundCoder(("-c:a", "pcm_s24le"), None, ("-f", "mov"), ".mov", sample_fmt="s32"),
}
"""For players, for web pages, and, beside pictures for editing, without loss."""

LARGEST_LAYOUT = 8
"""Channels up to which ffmpeg mixes to stereo by the places of the loudspeakers."""


@dataclass(frozen=True)
class Sound:
    """A sound file, the second of it that is heard at frame 0, and how much louder it becomes."""

    path: Path
    start_s: Fraction = Fraction(0)
    gain_db: float = 0.0

    def __post_init__(self) -> None:
        if self.start_s < 0:
            raise ValueError(f"{self.start_s = }: sound starts at 0 or later")


@dataclass(frozen=True)
class SoundFacts:
    """What a decoder makes of a sound file."""

    rate_hz: int
    channels: int


def probe(path: Path) -> SoundFacts:
    """Decode the first frames: rate and channels as a decoder gives them (HE-AAC claims half its rate)."""
    first = ("-map", "0:a:0", "-frames:a", "1", "-c:a", "pcm_f32le", "-f", "framecrc", "-")
    try:
        listing = ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.sound(path), *first)
    except RenderError as error:
        raise AudioError(str(path), f"its sound can't be read: {error.problem}", error.hint) from error
    # "0, pts, dts, samples, bytes, checksum"; a header line "#sample_rate 0: 44100"
    text = listing.decode()
    rates = [int(line.split(":")[1]) for line in text.splitlines() if line.startswith("#sample_rate 0:")]
    rows = [[field.strip() for field in line.split(",")] for line in text.splitlines() if line[:1] == "0"]
    if not rates or not rows or int(rows[0][3]) < 1:
        raise AudioError(str(path), "it holds no sound", "Does it play? Give a file of music.")
    return SoundFacts(rates[0], int(rows[0][4]) // (4 * int(rows[0][3])))


def samples_in(duration_s: Fraction, rate_hz: int) -> int:
    """Samples of a film's sound: round half up(duration × rate)."""
    return int(duration_s * rate_hz + Fraction(1, 2))


def output_facts(facts: SoundFacts, rates_hz: tuple[int, ...] = KEPT_RATES_HZ) -> SoundFacts:
    """What the film carries: mono or stereo, 44.1 or 48 kHz."""
    rate = facts.rate_hz if facts.rate_hz in rates_hz else rates_hz[-1]
    return SoundFacts(rate, min(facts.channels, 2))


def _cut(sound: Sound, facts: SoundFacts, duration_s: Fraction, coder: SoundCoder, *, clean: bool = False) -> str:
    """The filter from the whole decoded file to exactly the film's samples, padded with silence.

    ``clean`` silences samples that aren't numbers, on which the AAC encoder gives up; it takes a second a minute.
    """
    out = output_facts(facts, coder.rates_hz)
    samples = samples_in(duration_s, out.rate_hz)
    first = samples_in(sound.start_s, facts.rate_hz)
    # Generous: the resampler looks ahead, and what is too long is cut below.
    last = first + samples_in(duration_s + 1, facts.rate_hz)
    # Beyond 7.1 ffmpeg may not know what the channels are: even ones left, odd ones right, each side averaged.
    left, right = ("+".join(f"c{channel}" for channel in range(side, facts.channels, 2)) for side in (0, 1))
    number = "if(isnan(val(ch))+isinf(val(ch)),0,clip(val(ch),-16,16))"
    return ",".join(
        [
            ffmpeg.FROM_ZERO,
            *([f"aeval='{'|'.join([number] * facts.channels)}':c=same"] if clean else []),
            f"atrim=start_sample={first}:end_sample={last}",
            "asetpts=round(N/SR/TB)",
            *([f"volume={sound.gain_db:g}dB:precision=float"] if sound.gain_db else []),
            *([f"pan=stereo|c0<{left}|c1<{right}"] if facts.channels > LARGEST_LAYOUT else []),
            f"aresample={out.rate_hz}:filter_size=64:cutoff=0.97",
            f"aformat=sample_fmts={coder.sample_fmt}:channel_layouts={'mono' if out.channels == 1 else 'stereo'}",
            f"apad=whole_len={samples}",
            f"atrim=end_sample={samples}",
        ]
    )


def encode_sound(
    sound: Sound, duration_s: Fraction, target: Path, coding: str = "aac", *, named: Path | None = None
) -> Path:
    """Publish the film's sound, of exactly its samples; ``coding`` is a key of CODERS. Gives ``target``.

    Where the disk is full, ``named`` is what is told instead of the target.
    """
    facts, coder = probe(sound.path), CODERS[coding]
    out = output_facts(facts, coder.rates_hz)
    rate = [] if coder.bit_rates is None else ["-b:a", coder.bit_rates[out.channels - 1]]
    told = ["-map", "[sound]", *coder.options, *rate, "-ar", str(out.rate_hz), *ffmpeg.BITEXACT]
    with published(target) as part, disk_words(named or target):
        part.touch()
        end = ["-movie_timescale", str(out.rate_hz), *coder.muxer, "-y", ffmpeg.file_url(part)]
        for clean in (False, True):
            graph = ["-filter_complex", f"[0:a:0]{_cut(sound, facts, duration_s, coder, clean=clean)}[sound]"]
            # A file that is damaged is heard as far as it goes: no rate of errors ends ffmpeg.
            inputs = ["-max_error_rate", "1", *ffmpeg.sound(sound.path)]
            try:
                ffmpeg.run(*ffmpeg.QUIET, *inputs, *graph, *told, *end)
                break
            except RenderError as error:
                if clean or "NaN" not in error.problem:
                    raise
    return target


@contextmanager
def disk_words(target: Path) -> Iterator[None]:
    """Turn what ffmpeg says of a full disk into our words."""
    try:
        yield
    except RenderError as error:
        if ffmpeg.out_of_room(error.problem.encode()):
            raise disk_full(target) from error
        raise
