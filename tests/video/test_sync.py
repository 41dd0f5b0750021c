"""A flash on each click: what a player that honours edit lists shows and plays must meet."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.video.facts import read_back
from gandream.video.join import join
from gandream.video.sound import Sound

CLICKS_S = (0.31, 0.777, 1.2345, 1.9, 2.02, 2.9)
LENGTH_S = 3.5
# The name, what ffmpeg needs to write it, and how many samples a lossy codec may move a click.
FORMATS = {
    "44100.wav": (44100, 2, 0.6),
    "48000.wav": (48000, 1, 0.6),
    "44100.flac": (44100, 1, 0.6),
    "48000.mp3": (48000, 2, 1.5),
    "44100.mp3": (44100, 1, 1.5),
    "44100.ogg": (44100, 2, 1.5),
    "48000.m4a": (48000, 2, 1.5),
    "44100.m4a": (44100, 1, 1.5),
    "48000.opus": (48000, 2, 1.5),
    "22050.wav": (22050, 2, 1.5),
    "96000.wav": (96000, 1, 1.5),
}


def click(rate: int) -> np.ndarray:
    """A burst of 3 kHz in a bell of 1 ms, whose middle is easy to find to a fraction of a sample. [S], S odd."""
    at = np.arange(-int(0.005 * rate), int(0.005 * rate) + 1) / rate
    return 0.8 * np.cos(2 * np.pi * 3000 * at) * np.exp(-((at / 0.001) ** 2))


def track(rate: int, channels: int) -> np.ndarray:
    """Clicks at CLICKS_S, to the nearest sample: float32 [S, channels]."""
    burst = click(rate)
    sound = np.zeros(int(LENGTH_S * rate))
    for time in CLICKS_S:
        middle = round(time * rate)
        sound[middle - len(burst) // 2 : middle + len(burst) // 2 + 1] += burst
    return np.repeat(sound[:, None], channels, axis=1).astype(np.float32)


def write(path, rate: int, channels: int, sound=None):
    raw = path.with_suffix(".raw")
    raw.write_bytes((track(rate, channels) if sound is None else sound).tobytes())
    codec = ["-c:a", "pcm_f32le"] if path.suffix == ".wav" else ["-b:a", "192k"] if path.suffix != ".flac" else []
    ffmpeg.run(*ffmpeg.QUIET, "-f", "f32le", "-ar", str(rate), "-ac", str(channels), "-i", raw, *codec, path)
    return path


def heard_at(sound: np.ndarray, rate: int, near_s: float) -> float:
    """Seconds of the click next to a time, to a fraction of a sample: the peak of the correlation with a click."""
    first = max(0, int((near_s - 0.05) * rate))
    piece = sound[first : int((near_s + 0.05) * rate)].astype(np.float64)
    match = np.correlate(piece, click(rate), "same")
    top = int(np.argmax(match))
    a, b, c = match[top - 1 : top + 2]
    return (first + top + (a - c) / (2 * (a - 2 * b + c))) / rate


RATES_AND_STARTS = (("24000/1001", "0"), ("30", "1/2"), ("25", "1/3"))
CASES = [
    pytest.param(name, *case, marks=[] if number % 3 == turn else pytest.mark.slow)
    for number, name in enumerate(FORMATS)
    for turn, case in enumerate(RATES_AND_STARTS)
]
"""Every kind of sound, at the rates in turn; all pairs when there is time."""
CASES += [
    (name, *case) for name in ("44100.wav", "48000.mp3", "44100.m4a") for case in (("60", "0.7101"), ("12.5", "1"))
]


@pytest.mark.parametrize(("name", "fps", "start_s"), CASES)
def test_flash_meets_click(make_segments, small, decode, hear, tmp_path, name, fps, start_s):
    rate, channels, within = FORMATS[name]
    start = Fraction(start_s)
    fmt = small(fps=Fraction(fps))
    frames = round((Fraction(LENGTH_S) - start) * fmt.fps)
    clicks = [time - float(start) for time in CLICKS_S if time - start > 0.02]
    planes = np.full((frames, fmt.frame_bytes), 128, np.uint8)
    planes[:, : 64 * 48] = 16
    for time in clicks:
        planes[round(time * fmt.fps), : 64 * 48] = 235
    counts = [frames // 3, 1, frames - frames // 3 - 1]
    film = tmp_path / "film.mp4"
    join(
        make_segments(fmt, counts, planes),
        counts,
        fmt,
        film,
        sound=Sound(write(tmp_path / name, rate, channels), start),
    )

    facts = read_back(film)
    assert facts.sound_at_s == 0
    light = decode(film, fmt)[:, : 64 * 48].mean(1)
    flashes = [float(time) for time, level in zip(facts.times_s, light, strict=True) if level > 125]
    assert len(flashes) == len(clicks)
    sound = hear(film, facts.channels)
    assert len(sound) == facts.samples
    for time, flash in zip(clicks, flashes, strict=True):
        for channel in range(facts.channels):
            heard = heard_at(sound[:, channel], facts.rate_hz, time)
            assert abs(heard - flash) <= 0.5 / fmt.fps + 2 / rate
            # To the sample, of which cutting at start_s and writing the click to a whole one take half each.
            assert abs(heard - time) * rate <= within + 0.5


@pytest.mark.parametrize("name", ["48000.mp3", "44100.m4a", "44100.ogg", "44100.wav"])
def test_the_films_clock_is_the_decoders(make_segments, small, hear, tmp_path, name):
    """The analysis counts samples from the first one that ffmpeg decodes; the film must do the same."""
    rate, channels, _ = FORMATS[name]
    fmt = small(fps=Fraction(10))
    path = write(tmp_path / name, rate, channels)
    raw = ffmpeg.run(*ffmpeg.QUIET, *ffmpeg.sound(path), "-af", ffmpeg.FROM_ZERO, "-f", "f32le", "-ac", "1", "-")
    analysed = np.frombuffer(raw, np.float32)
    join(make_segments(fmt, [35]), [35], fmt, tmp_path / "film.mp4", sound=Sound(path))
    heard = hear(tmp_path / "film.mp4", channels)[:, 0]
    for time in CLICKS_S:
        assert abs(heard_at(heard, rate, time) - heard_at(analysed, rate, time)) * rate <= 0.6


def test_sound_that_starts_late_in_its_file_starts_late_in_the_film(make_segments, small, hear, tmp_path):
    """As in a camera's file whose sound begins half a second after its picture."""
    rate = 48000
    fmt = small(fps=Fraction(10))
    path = write(tmp_path / "a.wav", rate, 1)
    picture, late = ["-f", "lavfi", "-i", "color=s=32x32"], ["-itsoffset", "0.5", "-i", path]
    ffmpeg.run(*ffmpeg.QUIET, *picture, *late, "-t", "4", "-c:a", "pcm_s16le", tmp_path / "camera.mkv")
    join(make_segments(fmt, [40]), [40], fmt, tmp_path / "film.mp4", sound=Sound(tmp_path / "camera.mkv"))
    heard = hear(tmp_path / "film.mp4", 1)[:, 0]
    for time in CLICKS_S:
        assert abs(heard_at(heard, rate, time + 0.5) - time - 0.5) * rate <= 1


@pytest.mark.parametrize("channels", [3, 8, 11, *(pytest.param(n, marks=pytest.mark.slow) for n in (4, 5, 7, 16))])
def test_any_number_of_channels(make_segments, small, hear, tmp_path, channels):
    rate = 48000
    fmt = small(fps=Fraction(10))
    join(
        make_segments(fmt, [30]),
        [30],
        fmt,
        tmp_path / "film.mp4",
        sound=Sound(write(tmp_path / "a.wav", rate, channels)),
    )
    heard = hear(tmp_path / "film.mp4", 2)
    for side in (0, 1):
        for time in CLICKS_S[:-1]:
            assert abs(heard_at(heard[:, side], rate, time) - time) * rate <= 1


def test_samples_that_are_no_numbers_are_silent(make_segments, small, hear, tmp_path):
    rate = 48000
    fmt = small(fps=Fraction(10))
    sound = track(rate, 2)
    sound[5000:5010] = np.nan
    sound[7000, 1] = np.inf
    (tmp_path / "a.raw").write_bytes(sound.tobytes())
    raw = ["-f", "f32le", "-ar", str(rate), "-ac", "2", "-i", tmp_path / "a.raw"]
    ffmpeg.run(*ffmpeg.QUIET, *raw, "-c:a", "pcm_f32le", tmp_path / "a.wav")
    join(make_segments(fmt, [30]), [30], fmt, tmp_path / "film.mp4", sound=Sound(tmp_path / "a.wav"))
    heard = hear(tmp_path / "film.mp4", 2)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 1.1
    for time in CLICKS_S[:-1]:
        assert abs(heard_at(heard[:, 1], rate, time) - time) * rate <= 1


DAMAGED = [
    pytest.param(name, damage, marks=pytest.mark.slow if number % 2 == turn and number else [])
    for number, name in enumerate(("48000.mp3", "44100.ogg", "44100.flac", "44100.wav", "48000.opus"))
    for turn, damage in enumerate(("cut", "holes"))
]


@pytest.mark.parametrize(("name", "damage"), DAMAGED)
def test_damaged_files_are_heard_as_far_as_they_go(make_segments, small, tmp_path, name, damage):
    rate, channels, _ = FORMATS[name]
    hiss = np.random.default_rng(0).normal(0, 0.1, (int(LENGTH_S * rate), channels)).astype(np.float32)
    path = write(tmp_path / name, rate, channels, hiss)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    else:
        for at in range(len(data) // 2, len(data), 9000):
            data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    fmt = small(fps=Fraction(10))
    join(make_segments(fmt, [35]), [35], fmt, tmp_path / "film.mp4", sound=Sound(path))
    facts = read_back(tmp_path / "film.mp4")
    assert facts.samples == int(3.5 * facts.rate_hz)
