from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sounds import RATE, click, kick, noise, seconds, signal, sine, strikes, written

from gandream.audio import analyse as module
from gandream.audio import blocks, laid, onsets
from gandream.audio.analyse import analyse, feature_key
from gandream.audio.cache import Shelf
from gandream.audio.features import FEATURES
from gandream.audio.measure import measure_of
from gandream.audio.scales import RAW, SCALES
from gandream.audio.signals import sample
from gandream.base import ffmpeg
from gandream.base.clock import Clock
from gandream.base.errors import AudioError
from gandream.recipe.signals import DETECTORS, HEARD, KINDS, LAID

ALL = [signal(words) for words in ("rms", "onset", "beat", "chroma", {"from": "band", "high": 200})]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """23 s, two block borders: kicks, a falling and rising tone, noise."""
    t = np.arange(23 * RATE) / RATE
    sound = strikes(kick, np.arange(0.3, 22.5, 0.5), 23, 0.6)
    sound += 0.1 * np.sin(2 * np.pi * (300 * t + 200 * np.sin(t))) + noise(23, 0.01)
    return written(tmp_path_factory.mktemp("music") / "music.wav", sound)


@pytest.fixture
def forbid(monkeypatch):
    """From its call on nothing can be decoded."""

    def refuse(*arguments, **more):
        raise RuntimeError("decoding is forbidden")

    return lambda: monkeypatch.setattr(ffmpeg, "spawn", refuse)


def same(one, other) -> bool:
    return (
        one.features.keys() == other.features.keys()
        and all(np.array_equal(values, other.features[key]) for key, values in one.features.items())
        and (one.fingerprint, one.duration_s, one.beats_s, one.warnings)
        == (other.fingerprint, other.duration_s, other.beats_s, other.warnings)
    )


def test_every_kind_has_a_meaning():
    words = {kind: {"from": kind, "high": 200} if kind == "band" else kind for kind in HEARD}
    assert {measure_of(signal(one)).kind for one in words.values()} | {"chroma stft", "novelty"} == FEATURES.keys()
    assert LAID.keys() == laid.LAID.keys()
    assert SCALES.keys() == KINDS.keys()
    assert RAW.keys() < KINDS.keys()
    assert onsets.DETECTORS.keys() == DETECTORS.keys()


def test_analysis_holds_what_was_asked(music):
    analysis = analyse(music, ALL, beats=False)
    assert analysis.duration_s == Fraction(23)
    assert analysis.rate_hz == 150
    assert analysis.warnings == ()
    assert set(analysis.features) == {feature_key(one) for one in ALL if one.source != "beat"}
    for key, values in analysis.features.items():
        assert values.dtype == np.float32
        assert values.shape == (12 if key.startswith("chroma") else 1, 23 * 150 + 1)
    assert analysis.beats_s is not None
    nothing = analyse(music, [], beats=False)
    assert (dict(nothing.features), nothing.beats_s) == ({}, None)


@pytest.mark.parametrize("rate_hz", [8000, 22050, 44100, 48000, 96000])
def test_duration_is_exact(tmp_path, rate_hz):
    path = written(tmp_path / "odd.wav", np.zeros(12345), rate_hz)
    assert analyse(path, [], beats=False).duration_s == Fraction(12345, rate_hz)


def test_blocks_are_seamless(music, monkeypatch):
    cut = analyse(music, ALL, beats=True)
    monkeypatch.setattr(blocks, "BLOCK_FRAMES", 10**6)
    whole = analyse(music, ALL, beats=True)
    for key, values in whole.features.items():
        np.testing.assert_allclose(values, cut.features[key], rtol=1e-4, atol=1e-5 * values.max())
    assert cut.beats_s == pytest.approx(whole.beats_s, abs=1e-5)


@pytest.mark.parametrize("extra", [0, 1, 73, 146, 147])
def test_block_borders_at_the_end_of_the_file(tmp_path, extra):
    size = blocks.BLOCK_FRAMES * blocks.HOP
    path = written(tmp_path / "border.wav", noise(11, rate_hz=22050)[: size + extra], 22050)
    values = analyse(path, ALL[:1], beats=False).features[feature_key(ALL[0])]
    assert values.shape == (1, (size + extra) // 147 + 1)


def test_the_second_time_nothing_is_decoded(music, tmp_path, forbid):
    first = analyse(music, ALL, beats=True, cache=tmp_path)
    forbid()
    assert same(first, analyse(music, ALL, beats=True, cache=tmp_path))
    with pytest.raises(RuntimeError, match="forbidden"):
        analyse(music, ALL, beats=True, cache=tmp_path / "other")


def test_one_more_signal_measures_only_that(music, tmp_path, monkeypatch):
    analyse(music, ALL, beats=False, cache=tmp_path)
    asked = []
    monkeypatch.setattr(
        module,
        "_measured",
        lambda path, measures, facts, work=module._measured: asked.extend(measures) or work(path, measures, facts),
    )
    analyse(
        music,
        [*ALL, signal({"from": "onset", "high": 120}), signal({"from": "rms", "smooth": 1})],
        beats=True,
        cache=tmp_path,
    )
    assert [one.key for one in asked] == ["onset 20-120 Hz"]


def test_touched_is_known_changed_is_not(music, tmp_path, forbid):
    copy = tmp_path / "copy.wav"
    copy.write_bytes(music.read_bytes())
    first = analyse(copy, ALL, beats=False, cache=tmp_path)
    forbid()
    os.utime(copy, (1, 1))
    renamed = copy.rename(tmp_path / "renamed.wav")
    assert same(first, analyse(renamed, ALL, beats=False, cache=tmp_path))
    content = bytearray(renamed.read_bytes())
    content[-1] ^= 1
    renamed.write_bytes(content)
    with pytest.raises(RuntimeError, match="forbidden"):
        analyse(renamed, ALL, beats=False, cache=tmp_path)


@pytest.mark.parametrize("damage", [b"", b"not an array", None])
def test_a_damaged_entry_is_made_again(music, tmp_path, damage):
    first = analyse(music, ALL, beats=True, cache=tmp_path)
    entries = sorted(tmp_path.rglob("*.npz"))
    assert len(entries) == 7  # facts, four features, onsets for beats, beats
    sizes = [entry.stat().st_size for entry in entries]
    for entry in entries:
        content = entry.read_bytes()
        half = len(content) // 2
        entry.write_bytes(
            content[:half] + bytes([content[half] ^ 255]) + content[half + 1 :] if damage is None else damage
        )
    assert same(first, analyse(music, ALL, beats=True, cache=tmp_path))
    assert [entry.stat().st_size for entry in entries] == sizes


def test_no_changed_byte_is_taken_for_an_entry(tmp_path):
    shelf, entry = Shelf(tmp_path, "ab" * 32), {"one": np.array([0.5, 2]), "two": np.array(["words"])}
    shelf.put("name", entry)
    (file,) = tmp_path.rglob("*.npz")
    content = file.read_bytes()
    for at in range(len(content)):
        file.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        found = shelf.get("name")
        assert found is None or all(np.array_equal(found[key], entry[key]) for key in entry)
        file.write_bytes(content[:at])
        assert shelf.get("name") is None


def test_a_cache_that_can_not_be_written_is_done_without(music, tmp_path):
    (tmp_path / "file").write_text("")
    assert same(analyse(music, ALL, beats=True), analyse(music, ALL, beats=True, cache=tmp_path / "file" / "cache"))


def test_warnings_are_kept(tmp_path, forbid):
    path = tmp_path / "hole.flac"
    ffmpeg.run("-y", "-i", written(tmp_path / "whole.wav", noise(6)), path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    path.write_bytes(content)
    first = analyse(path, [], beats=True, cache=tmp_path)
    forbid()
    assert "hole.flac is damaged" in first.warnings[0]
    assert same(first, analyse(path, [], beats=True, cache=tmp_path))


def test_a_file_that_is_not_there_is_an_audio_error(tmp_path):
    with pytest.raises(AudioError, match="No such file"):
        analyse(tmp_path / "gone.wav", [], beats=False)


ODD = {
    "silence": (np.zeros(44100), 44100),
    "tenth": (noise(0.1), 44100),
    "one sample": (np.ones(1), 192_000),
    "offset": (np.full(66150, 0.5), 44100),
    "dither": (noise(2, 1e-5), 44100),
    "5.1": (np.stack([noise(2, rate_hz=96_000)] * 6, axis=1), 96_000),
    "8 kHz": (sine(440, 2, 8000), 8000),
    "no numbers": (np.full(44100, np.nan), 44100),
    "some numbers": (np.where(np.arange(44100) % 1000 == 0, np.nan, noise(1)), 44100),
    "huge": (noise(1, 1e30), 44100),
    "denormal": (np.full(44100, 1e-42), 44100),
}
SILENT = {"silence", "one sample", "offset", "dither", "no numbers", "denormal"}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ODD)
def test_odd_sounds_have_defined_signals(tmp_path, name):
    analysis = analyse(written(tmp_path / "odd.wav", *ODD[name]), ALL, beats=True)
    clock = Clock(Fraction(30), 40)
    for one in ALL:
        values = sample(analysis, one, clock, Fraction(0), seconds)
        assert values.shape == ((40, 12) if one.source == "chroma" else (40,))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1
        if name in SILENT:
            assert not values.any()
    if name in SILENT:
        assert analysis.beats_s is None
        assert analysis.warnings == ("no beat was found in odd.wav",)


def test_import_is_light():
    code = "import sys, gandream.audio.analyse, gandream.audio.signals; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"librosa", "scipy", "soundfile", "torch"} & set(loaded)


MEASURE = """
import sys
from pathlib import Path
from gandream.audio.analyse import analyse
from gandream.recipe.signals import Signal
words = ["rms", "onset", "beat", "chroma", {"from": "band", "high": 200}]
analyse(Path(sys.argv[1]), [Signal.model_validate(one) for one in words], beats=True)
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_memory_does_not_grow_with_length(tmp_path):
    minute = strikes(click, np.arange(0.5, 59, 0.5), 60)
    peaks = []
    for minutes in (1, 5):
        path = written(tmp_path / f"{minutes}.wav", np.tile(minute, minutes))
        said = subprocess.run([sys.executable, "-c", MEASURE, str(path)], check=True, capture_output=True, text=True)
        peaks.append(int(said.stdout))
    assert peaks[1] < 1.05 * peaks[0]
