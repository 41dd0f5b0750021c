"""Every codec in every file that may hold it: encoded in segments, joined, and read back by ffmpeg."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile

from gandream.base import ffmpeg
from gandream.recipe import codecs as words
from gandream.video import codecs
from gandream.video.boxes import NotWholeError
from gandream.video.colour import planes
from gandream.video.facts import read_back
from gandream.video.format import VideoFormat
from gandream.video.join import join
from gandream.video.metadata import recipe_of
from gandream.video.sound import Sound
from gandream.video.tracks import track_of

RATE = Fraction(30000, 1001)
COUNTS = (7, 1, 5)
WIDTH, HEIGHT = 96, 64
CLICK_S = 0.25
TITLE, RECIPE = "Nacht; ünd = 1", "model: x\n# ü = \\;\n"


class Pair(NamedTuple):
    """What is tried."""

    codec: str
    file: str
    depth: int
    subsampling: str
    alpha: bool

    def __str__(self) -> str:
        return f"{self.codec}-{self.file}-{self.depth}-{self.subsampling}{'-alpha' * self.alpha}"

    @property
    def fmt(self) -> VideoFormat:
        """Near lossless where it has a rate factor, so that what comes back tells what went in."""
        coding = words.settle(self.file, self.codec, None, self.depth, self.subsampling, self.alpha)
        return VideoFormat(WIDTH, HEIGHT, RATE, self.codec, 4 if coding.crf else 0, "veryfast",
                           self.subsampling, depth=self.depth, alpha=self.alpha)  # type: ignore[arg-type]  # fmt: skip


def allowed(codec: str, file: str, depth: int, subsampling: str, alpha: bool) -> bool:
    try:
        words.settle(file, codec, None, depth, subsampling, alpha)
    except Exception:
        return False
    return True


PAIRS = [
    pair
    for codec, row in words.CODECS.items()
    for file in row.files
    for depth in words.DEPTHS
    for subsampling in words.SUBSAMPLINGS
    for alpha in (False, True)
    if allowed(*(pair := Pair(codec, file, depth, subsampling, alpha)))
]
QUICK = {
    *(Pair("h264", "mkv", 10, "420", False), Pair("h265", "mov", 8, "420", False)),
    *(Pair("vp9", "webm", 8, "420", True), Pair("av1", "mp4", 10, "420", False)),
    *(Pair("prores", "mov", 10, "422", False), Pair("prores_4444", "mov", 10, "444", True)),
    Pair("ffv1", "mkv", 10, "422", True),
}


def test_the_words_are_those_of_the_engine():
    assert set(codecs.CODECS) == set(words.CODECS)
    assert set(PAIRS) >= QUICK
    assert {pair.codec for pair in QUICK} == set(words.CODECS)
    from gandream.recipe.video import PRESETS

    assert codecs.PRESETS == PRESETS


@functools.cache
def pictures():
    """A moving rainbow over a moving opacity, float [F, 4, H, W]: smooth, so that codecs keep it."""
    import torch

    y, x = torch.meshgrid(torch.linspace(-1, 1, HEIGHT), torch.linspace(-1, 1, WIDTH), indexing="ij")
    frames = torch.arange(sum(COUNTS)).view(-1, 1, 1) / 8
    waves = [torch.sin(2 * x + frames), torch.cos(3 * y - frames), x * torch.cos(frames), y * torch.sin(frames + 1)]
    return torch.stack(waves, dim=1) * 0.9


def coded(fmt: VideoFormat) -> np.ndarray:
    return planes(pictures()[:, : 3 + fmt.alpha], fmt.subsampling, fmt.depth, fmt.alpha).numpy()


def shown(path: Path, fmt: VideoFormat) -> bytes:
    """Every decoded frame. ffmpeg's own decoder of VP9 leaves out what lies beside the frames."""
    decoder = ["-c:v", "libvpx-vp9"] if fmt.codec == "vp9" and fmt.alpha else []
    end = ("-map", "0:v:0", "-fps_mode", "passthrough", "-pix_fmt", fmt.pix_fmt, "-f", "rawvideo", "-")
    return ffmpeg.run(*ffmpeg.QUIET, *decoder, "-i", ffmpeg.file_url(path), *end)


@pytest.fixture
def sound(tmp_path):
    """Three seconds with one click."""
    samples = np.zeros(3 * 48_000, np.float32)
    samples[round(CLICK_S * 48_000) :][:48] = 0.8
    soundfile.write(tmp_path / "click.wav", samples, 48_000)
    return Sound(tmp_path / "click.wav")


@pytest.mark.parametrize("pair", [
    pytest.param(pair, id=str(pair), marks=[] if pair in QUICK else pytest.mark.slow) for pair in PAIRS
])  # fmt: skip
def test_what_comes_back(make_segments, hear, sound, tmp_path, pair):
    fmt, film, total = pair.fmt, tmp_path / f"film.{pair.file}", sum(COUNTS)
    frames = coded(fmt)
    segments = make_segments(fmt, COUNTS, frames)
    join(segments, COUNTS, fmt, film, sound=sound, title=TITLE, recipe_text=RECIPE)

    facts = read_back(film)
    assert (facts.codec, facts.width, facts.height) == (CALLED.get(pair.codec, pair.codec), WIDTH, HEIGHT)
    assert facts.pix_fmt == SEEN.get(pair.codec, {}).get(fmt.pix_fmt, fmt.pix_fmt)
    # A MOV says of FFV1 which colours they are, and has no word for the range, which then is the usual one.
    assert facts.colours == ("bt709" if (pair.codec, pair.file) == ("ffv1", "mov") else "tv, bt709")
    assert facts.frames == total
    exact = [index / RATE for index in range(total + 1)]
    if pair.file in ("mkv", "webm"):  # a tick is a millisecond
        exact = [Fraction(int(1000 * at + Fraction(1, 2)), 1000) for at in exact]
    assert list(facts.times_s) == exact[:-1]
    assert abs(facts.times_s[-1] + facts.frame_s - total / RATE) < Fraction(1, 999)

    rate = 48_000
    assert (facts.rate_hz, facts.channels, facts.sound_at_s) == (rate, 1, 0)
    assert abs(facts.samples - total / RATE * rate) <= 1
    heard = np.abs(hear(film, 1)[:, 0])
    assert abs(np.flatnonzero(heard > heard.max() / 2)[0] - CLICK_S * rate) < 0.0005 * rate

    # Joining changed no pixel, and the pixels are those that were meant: planes in order, bits in place.
    joined = shown(film, fmt)
    assert joined == b"".join(shown(path, fmt) for path in segments)
    kind, scale = (np.uint8, 1) if fmt.depth == 8 else (np.dtype("<u2"), 4)
    one, two = (np.frombuffer(data, kind).reshape(total, -1) / scale for data in (joined, frames.tobytes()))
    for part in np.split(
        np.abs(one - two), [WIDTH * HEIGHT, one.shape[1] - fmt.alpha * WIDTH * HEIGHT - 1], axis=1
    ):  # luma, the rest, alpha
        assert np.sqrt(np.mean(part**2)) < (0 if pair.codec == "ffv1" else 1.5) + 1e-9
    assert (facts.title, recipe_of(film)) == (TITLE, RECIPE)


CALLED = {"h265": "hevc", "prores_4444": "prores"}
SEEN = {
    # Its samples are floating point inside, and the decoder gives 12 bits.
    "prores_4444": {"yuv444p10le": "yuv444p12le", "yuva444p10le": "yuva444p12le"},
    "vp9": {"yuva420p": "yuv420p"},
}


@pytest.mark.parametrize("codec", [pytest.param("h265", marks=pytest.mark.slow), "vp9", "av1"])
def test_segments_are_the_same_bytes_again(make_segments, tmp_path, codec):
    fmt = VideoFormat(192, 128, RATE, codec, 20)
    frames = np.random.default_rng(0).integers(0, 256, (8, fmt.frame_bytes), dtype=np.uint8)
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        made.append(make_segments(fmt, [8], frames, tmp_path / name)[0].read_bytes())
    assert made[0] == made[1]


@pytest.mark.parametrize("codec", ["h264", pytest.param("h265", marks=pytest.mark.slow), "vp9", "av1"])
def test_rate_factor_0_loses_nothing(make_segments, tmp_path, codec):
    fmt = VideoFormat(WIDTH, HEIGHT, RATE, codec, 0)
    frames = np.random.default_rng(0).integers(0, 256, (3, fmt.frame_bytes), dtype=np.uint8)
    (path,) = make_segments(fmt, [3], frames)
    assert ffmpeg.run(*ffmpeg.QUIET, "-i", path, "-f", "rawvideo", "-") == frames.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["ultrafast", "veryfast", "medium"])
@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_ten_bits_look_no_worse(make_segments, tmp_path, codec, preset):
    """The same rate factor means the same to both: pictures with film grain, 1 dB and more would be seen."""
    import torch

    grainy = pictures()[:, :3] + 0.1 * torch.randn(13, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    found = {}
    for depth in (8, 10):
        coding = words.settle("mkv", codec, depth=depth)
        fmt = VideoFormat(WIDTH, HEIGHT, RATE, codec, coding.crf or 0, preset, depth=depth)
        frames = planes(grainy, "420", depth).numpy()
        (path,) = make_segments(fmt, [13], frames)
        kind, scale = (np.uint8, 1) if depth == 8 else (np.dtype("<u2"), 4)
        one, two = (np.frombuffer(data, kind) / scale for data in (shown(path, fmt), frames.tobytes()))
        found[depth] = 10 * np.log10(255**2 / np.mean((one - two) ** 2))
    assert found[10] > found[8] - 1
    assert found[8] > 30


def test_a_matroska_file_that_is_cut_off_is_noticed(make_segments, tmp_path):
    fmt = VideoFormat(WIDTH, HEIGHT, RATE, "vp9", 20, alpha=True)
    (path,) = make_segments(fmt, [5], coded(fmt)[:5])
    track = track_of(path)
    assert path.suffix == ".mkv"
    assert (track.codec, track.samples, track.width, track.height) == ("vp09", 5, WIDTH, HEIGHT)
    assert track.runs_at(RATE)
    assert not track.runs_at(Fraction(25))
    assert getattr(track, "alpha", False)
    data, short = path.read_bytes(), tmp_path / "short.mkv"
    for length in [*range(0, 200), *range(200, len(data), 37), len(data) - 1]:
        short.write_bytes(data[:length])
        with pytest.raises(NotWholeError):
            track_of(short)


def test_an_encoder_that_is_not_here(monkeypatch):
    from gandream.base.errors import RenderError

    monkeypatch.setattr(ffmpeg, "encoders", lambda: frozenset({"libx264", "libaom-av1"}))
    assert VideoFormat(64, 64, RATE).coder.name == "libx264"
    assert VideoFormat(64, 64, RATE, "av1").coder.name == "libaom-av1"
    with pytest.raises(RenderError, match="built without libx265") as caught:
        assert VideoFormat(64, 64, RATE, "h265").key()
    assert "take another codec" in caught.value.hint
