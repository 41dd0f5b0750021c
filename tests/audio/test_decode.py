from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import RATE, click, noise, sine, strikes, written

from gandream.audio import decode
from gandream.audio.decode import mono_blocks, probe
from gandream.base import ffmpeg
from gandream.base.errors import AudioError, GandreamError

PLACES = np.array([0.2503, 0.6, 1.0011, 1.4])


def samples(path: Path, rate_hz: int = 22050, **more) -> np.ndarray:
    return np.concatenate(list(mono_blocks(path, rate_hz, **more)))


def converted(source: Path, target: Path, *options: str) -> Path:
    ffmpeg.run("-y", "-i", source, *options, target)
    return target


@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000])
@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus", "m4a", "mkv"])
def test_a_click_stays_where_it_is(tmp_path, rate_hz, suffix):
    ticks = np.zeros(2 * rate_hz)
    ticks[np.round(PLACES * rate_hz).astype(int)] = 0.9
    source = written(tmp_path / "source.wav", ticks, rate_hz)
    path = converted(
        source, tmp_path / f"coded.{suffix}", *(["-c:a", "aac", "-b:a", "192k"] if suffix == "m4a" else [])
    )
    heard = np.abs(samples(path))
    assert abs(len(heard) / 22050 - 2) < 0.03
    for place in PLACES:
        middle = round(place * 22050)
        peak = middle - 200 + np.argmax(heard[middle - 200 : middle + 200])
        assert abs(peak / 22050 - place) < 1e-4


def test_sound_that_starts_late_is_preceded_by_silence(tmp_path):
    source = written(tmp_path / "source.wav", strikes(click, [0.5], 1))
    film = tmp_path / "late.mp4"
    pictures = ["-f", "lavfi", "-i", "testsrc=d=2:r=25:s=64x64"]
    ffmpeg.run("-y", *pictures, "-itsoffset", "0.5", "-i", source, "-map", "0:v", "-map", "1:a", "-c:a", "aac", film)
    first = np.argmax(np.abs(samples(film)) > 0.1) / 22050
    assert first == pytest.approx(1.0, abs=0.003)


def test_channels_are_mixed_and_rates_converted(tmp_path):
    path = written(tmp_path / "wide.wav", np.stack([sine(440, 1, 96000)] * 6, axis=1), 96000)
    assert probe(path) == decode.SoundFacts(96000, 6)
    assert len(samples(path, 8000)) == 8000
    low = written(tmp_path / "low.wav", sine(440, 1, 8000), 8000)
    assert probe(low) == decode.SoundFacts(8000, 1)
    assert np.sqrt(np.mean(samples(low) ** 2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("name", ["-i.wav", 'it\'s 100%d "q" ü😀.wav', "a:b?c#d.wav", "new\nline.wav", "[x] $HOME.wav"])
def test_any_name(tmp_path, name, monkeypatch):
    written(tmp_path / name, noise(0.1))
    monkeypatch.chdir(tmp_path)
    assert len(samples(Path(name))) == 2205


def test_numbers_that_are_none_are_silence(tmp_path):
    broken = noise(1)
    broken[100:200], broken[300], broken[400] = np.nan, np.inf, 1e30
    heard = samples(written(tmp_path / "nan.wav", broken))
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= decode.LOUDEST
    assert not samples(written(tmp_path / "none.wav", np.full(4410, np.nan))).any()


def broken_file(folder: Path, name: str) -> Path:
    path = folder / name
    contents = {
        "page.mp3": b"<html><body>404 not found</body></html>" * 20,
        "text.wav": b"hello world\n" * 100,
        "noise.mp3": np.random.default_rng(0).bytes(50_000),
        "empty.wav": b"",
        "live.m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
        "list.txt": b"ffconcat version 1.0\nfile other.wav\n",
    }
    if name in contents:
        path.write_bytes(contents[name])
    elif name == "none.wav":
        soundfile.write(path, np.zeros(0), RATE)
    elif name == "silent.avi":
        ffmpeg.run("-y", "-f", "lavfi", "-i", "testsrc=d=0.2:s=64x64", "-c:v", "mjpeg", path)
    elif name == "half.m4a":
        whole = converted(written(folder / "whole.wav", noise(1)), folder / "whole.m4a").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif name == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("page.mp3", "can't decode this; ffmpeg: Failed to find two consecutive MPEG"),
        ("text.wav", "can't decode this; ffmpeg: .*Invalid data"),
        ("noise.mp3", "can't decode this; ffmpeg: "),
        ("empty.wav", "this file is empty: 0 bytes"),
        ("none.wav", "there is no sound in this file; ffmpeg: 0 samples"),
        ("silent.avi", "there is no sound in this file, only pictures or data"),
        ("half.m4a", "can't decode this; ffmpeg: moov atom not found"),
        ("live.m3u8", "this is not a sound file, but perhaps a playlist"),
        ("list.txt", "this is not a sound file, but perhaps a playlist"),
        ("folder", "can't read this: Is a directory"),
        ("gone.wav", "can't read this: No such file"),
    ],
)
def test_what_is_no_sound_says_so(tmp_path, capfd, name, words):
    path = broken_file(tmp_path, name)
    with pytest.raises(AudioError, match=words) as caught:
        samples(path)
    assert caught.value.where == str(path)
    assert caught.value.hint
    assert "0x" not in caught.value.problem  # addresses of ffmpeg's memory differ in every run
    assert capfd.readouterr() == ("", "")
    if name != "none.wav":
        with pytest.raises(AudioError):
            probe(path)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "opus"])
def test_a_file_with_a_hole_is_used_with_a_warning(tmp_path, suffix):
    path = converted(written(tmp_path / "whole.wav", noise(6)), tmp_path / f"hole.{suffix}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = np.random.default_rng(0).bytes(3000)
    path.write_bytes(content)
    warnings: list[str] = []
    assert len(samples(path, warn=warnings.append)) > 4 * 22050
    assert len(warnings) == 1
    assert warnings[0].startswith(f"hole.{suffix} is damaged, what could be decoded is used: ")


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac"])
def test_a_file_that_ends_early_is_used_as_far_as_it_goes(tmp_path, suffix):
    path = converted(written(tmp_path / "whole.wav", noise(4)), tmp_path / f"half.{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.5 < len(samples(path)) / 22050 < 2.5


def test_libsndfile_reads_what_ffmpeg_does_not(tmp_path):
    path = tmp_path / "matlab.mat5"
    soundfile.write(path, sine(440, 1), RATE, format="MAT5", subtype="PCM_16")
    with pytest.raises(GandreamError, match="Invalid data"):
        ffmpeg.run("-i", path, "-f", "null", "-")
    assert probe(path).channels == 1
    heard = samples(path)
    assert len(heard) == 22050
    assert np.abs(heard[1000:-1000]).max() == pytest.approx(0.5, rel=0.01)


def test_leaving_early_ends_ffmpeg(tmp_path):
    path = written(tmp_path / "long.wav", noise(30))
    pieces = mono_blocks(path, 22050)
    before = {process.pid for process in ffmpeg._RUNNING if process.poll() is None}
    next(pieces)
    (running,) = (one for one in ffmpeg._RUNNING if one.poll() is None and one.pid not in before)
    pieces.close()
    assert running.poll() is not None
    shutil.rmtree(tmp_path)  # which nothing holds open
