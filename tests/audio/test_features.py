from __future__ import annotations

import numpy as np
import pytest
from sounds import RATE, click, hat, kick, measured, noise, sampled, signal, sine, snare, strikes, written

from gandream.audio.analyse import analyse, feature_key
from gandream.base import ffmpeg

TIMES = np.arange(0.5, 9.3, 0.5) + np.random.default_rng(1).uniform(0, 0.02, 18)
"""Seconds of events, at every phase of every clock."""


def places(curve: np.ndarray, times: np.ndarray, rate: float = 150) -> tuple[np.ndarray, np.ndarray]:
    """Milliseconds from each event to the highest point near it, and its height."""
    late, heights = [], []
    for time in times:
        near = np.arange(max(round((time - 0.05) * rate), 0), min(round((time + 0.07) * rate), len(curve)))
        peak = near[np.argmax(curve[near])]
        late.append((peak / rate - time) * 1000)
        heights.append(curve[peak])
    return np.array(late), np.array(heights)


@pytest.mark.parametrize("rate_hz", [22050, 44100, 48000])
@pytest.mark.parametrize("sound", [click, hat, kick, snare])
def test_onsets_peak_at_the_event(tmp_path, rate_hz, sound):
    path = written(tmp_path / "events.wav", strikes(sound, TIMES, 10, rate_hz=rate_hz), rate_hz)
    onset = measured(path, "onset")[0]
    late, heights = places(onset, TIMES)
    assert abs(np.median(late)) <= 3
    assert np.abs(late).max() <= 1000 / 60 / 2
    assert heights.std() / heights.mean() < 0.1
    for time in TIMES:  # nothing is shown before the half frame in which it is due
        early = onset[round((time - 0.06) * 150) : int((time - 0.010) * 150)]
        assert early.max() < 0.1 * heights.min()


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "m4a", "flac"])
def test_onsets_of_coded_sound_stay_in_place(tmp_path, suffix):
    source = written(tmp_path / "source.wav", strikes(click, TIMES, 10))
    path = tmp_path / f"coded.{suffix}"
    ffmpeg.run("-y", "-i", source, path)
    late, _ = places(measured(path, "onset")[0], TIMES)
    assert abs(np.median(late)) <= 5
    assert np.abs(late).max() <= 1000 / 60 / 2


def test_loudness_does_not_move_an_onset(tmp_path):
    loud = strikes(click, TIMES[::2], 10, 0.9) + strikes(click, TIMES[1::2], 10, 0.02)
    late, _ = places(measured(written(tmp_path / "a.wav", loud), "onset")[0], TIMES)
    assert np.abs(late[::2].mean() - late[1::2].mean()) < 2


@pytest.fixture(scope="module")
def mix(tmp_path_factory):
    """Kicks on the beat, hats off it, and louder and softer bass notes half a beat after each second kick."""
    times = np.arange(0.25, 19.4, 0.5)
    bass = np.zeros(20 * RATE)
    for number, start in enumerate(np.arange(0.5, 19, 1)):
        t = np.arange(round(0.9 * RATE)) / RATE
        tone = sum(np.sin(2 * np.pi * (55, 65.4, 49, 73.4)[number % 4] * h * t) / h for h in range(1, 6))
        bass[round(start * RATE) :][: len(t)] += 0.15 * tone * np.minimum(1, np.minimum(t, t[-1] - t) / 0.01)
    sound = strikes(kick, times, 20, 0.7) + strikes(hat, times + 0.125, 20, 0.2) + bass
    return times, written(tmp_path_factory.mktemp("mix") / "mix.wav", sound)


def test_low_onsets_follow_the_kick(mix):
    times, path = mix
    low = measured(path, {"from": "onset", "high": 120})[0]
    late, heights = places(low, times)
    assert abs(np.median(late)) <= 1000 / 60 / 2
    assert heights.min() > 0.6 * np.median(heights)
    for other, most in ((times + 0.125, 0.35), (np.arange(0.5, 19, 1), 0.5)):
        _, others = places(low, other)
        assert others.max() < most * np.median(heights)


def test_high_onsets_follow_the_hats(mix):
    times, path = mix
    high = measured(path, {"from": "onset", "low": 5000})[0]
    _, hats = places(high, times + 0.125)
    _, kicks = places(high, times)
    assert kicks.max() < 0.2 * hats.min()


@pytest.mark.parametrize(("hz", "pitch"), [(440, 9), (110, 9), (261.63, 0), (1244.5, 3), (92.5, 6)])
def test_a_tone_is_its_pitch_class(tmp_path, hz, pitch):
    chroma = sampled(written(tmp_path / "tone.wav", sine(hz, 3)), "chroma")[20:-20]
    assert chroma.shape[1] == 12
    assert chroma[:, pitch] == pytest.approx(1, abs=0.02)
    assert np.delete(chroma, pitch, axis=1).max() < 0.35


def test_a_chord_is_its_three_classes_and_changes_in_time(tmp_path):
    one, two = (sum(sine(hz, 2) for hz in chord) / 3 for chord in ((261.63, 329.63, 392.0), (220.0, 277.18, 329.63)))
    chroma = sampled(written(tmp_path / "chords.wav", np.concatenate([one, two])), "chroma")
    for middle, pitches in ((60, {0, 4, 7}), (180, {9, 1, 4})):
        assert {int(pitch) for pitch in np.argsort(chroma[middle])[-3:]} == pitches
        assert np.sort(chroma[middle])[-3] > 0.6
        assert np.sort(chroma[middle])[-4] < 0.1
    assert abs(np.argmax(chroma[:, 9] > chroma[:, 7]) / 60 - 2) < 0.05


def test_silence_and_noise_have_no_pitch(tmp_path):
    chroma = sampled(written(tmp_path / "quiet.wav", np.concatenate([sine(440, 2), np.zeros(2 * RATE)])), "chroma")
    assert chroma[150:].max() < 1e-6
    hiss = sampled(written(tmp_path / "noise.wav", noise(5)), "chroma")
    assert hiss.mean() < 0.25


def test_bands_follow_a_sweep(tmp_path):
    t = np.arange(9 * RATE) / RATE  # 50 Hz to 6.4 kHz, 7 octaves in 9 s
    octave = 7 / 9
    sweep = 0.5 * np.sin(2 * np.pi * 50 / (octave * np.log(2)) * 2 ** (octave * t))
    path = written(tmp_path / "sweep.wav", sweep)
    for low, high in ((50, 100), (200, 400), (800, 1600), (3200, 6400)):
        band = sampled(path, {"from": "band", "low": low, "high": high})
        inside = np.flatnonzero(band > 0.5) / 60
        assert inside[0] == pytest.approx(np.log2(low / 50) / octave, abs=0.2)
        assert inside[-1] == pytest.approx(np.log2(high / 50) / octave, abs=0.2)


def test_rms_is_the_root_of_the_mean_square(tmp_path):
    steps = np.concatenate([level * sine(1000, 1) for level in (1, 0.5, 0.1)])
    rms = sampled(written(tmp_path / "steps.wav", steps), "rms")
    assert [rms[30], rms[90], rms[150]] == pytest.approx([1, 0.5, 0.1], rel=0.01)
    low = sampled(
        written(tmp_path / "two.wav", np.concatenate([sine(100, 1), sine(3000, 1)])), {"from": "rms", "high": 500}
    )
    assert low[30] == pytest.approx(1, abs=0.01)
    assert low[90] < 0.01


@pytest.mark.parametrize("words", [{"low": 100, "high": 101}, {"high": 10}, {"low": 11024}, {"low": 0, "high": 11025}])
@pytest.mark.parametrize("kind", ["rms", "band", "onset"])
def test_any_range_is_defined(tmp_path, kind, words):
    values = sampled(written(tmp_path / "noise.wav", noise(1)), {"from": kind, **words})
    assert np.isfinite(values).all()


def test_level_does_not_matter(tmp_path):
    sound = strikes(kick, TIMES, 10) + noise(10, 0.01)
    words = [signal("onset"), signal("chroma"), signal("rms")]
    loud, soft = (analyse(written(tmp_path / f"{g}.wav", g * sound), words, beats=False) for g in (1.0, 0.01))
    for one in words:
        key = feature_key(one)
        assert soft.features[key] == pytest.approx(loud.features[key], rel=1e-3, abs=1e-4)
