from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sounds import RATE, click, hat, kick, noise, sampled, sine, snare, strikes, written

from gandream.audio.analyse import analyse
from gandream.base.assets import bundled
from gandream.base.ffmpeg import run
from gandream.base.tempo import BeatGrid


def beats_of(path) -> np.ndarray:
    return np.array(analyse(path, [], beats=True).beats_s or ())


def errors(beats: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Milliseconds from each true beat to the nearest found one."""
    return np.array([(beats[np.argmin(np.abs(beats - time))] - time) * 1000 for time in truth])


def bpm(beats: np.ndarray) -> float:
    return 60 / float(np.median(np.diff(beats)))


@pytest.mark.parametrize("tempo", [70, 90, 105, 120, 128, 140, 160])
def test_clicks(tmp_path, tempo):
    truth = np.arange(0.3, 29.5, 60 / tempo)
    beats = beats_of(written(tmp_path / "clicks.wav", strikes(click, truth, 30)))
    assert bpm(beats) == pytest.approx(tempo, abs=0.1)
    assert len(beats) == len(truth)
    assert abs(np.median(errors(beats, truth))) < 3
    assert np.abs(errors(beats, truth)).max() < 5
    assert np.diff(beats, 2).std() < 0.001


@pytest.mark.parametrize(("rate_hz", "suffix"), [(22050, "mp3"), (44100, "m4a"), (48000, "ogg"), (48000, "flac")])
def test_clicks_in_files(tmp_path, rate_hz, suffix):
    truth = np.arange(0.3, 19.5, 0.5)
    source = written(tmp_path / "source.wav", strikes(click, truth, 20, rate_hz=rate_hz), rate_hz)
    run("-y", "-i", source, tmp_path / f"coded.{suffix}")
    assert np.abs(errors(beats_of(tmp_path / f"coded.{suffix}"), truth)).max() < 5


@pytest.mark.parametrize("tempo", [90, 120, 140])
def test_drums_with_swung_hats(tmp_path, tempo):
    beat = 60 / tempo
    truth = np.arange(0.3, 29.4, beat)
    sound = strikes(kick, truth, 30, 0.6) + strikes(snare, truth[1::2], 30, 0.3)
    sound += strikes(hat, np.sort(np.concatenate([truth, truth + beat * 2 / 3])), 30, 0.08)
    beats = beats_of(written(tmp_path / "swing.wav", sound))
    assert bpm(beats) == pytest.approx(tempo, abs=0.1)
    assert np.abs(errors(beats, truth)).max() < 8


def test_a_tempo_that_drifts_is_followed(tmp_path):
    truth = [0.4]
    while truth[-1] < 58:
        truth.append(truth[-1] + 60 / (110 + 15 * truth[-1] / 60))
    truth = np.array(truth)
    beats = beats_of(written(tmp_path / "drift.wav", strikes(kick, truth, 60)))
    assert len(beats) == len(truth)
    assert np.abs(errors(beats, truth)).max() < 8
    assert bpm(beats[:20]) < 113
    assert bpm(beats[-20:]) > 122


def test_a_tempo_that_changes_fast_is_followed_to_both_ends(tmp_path):
    truth = [0.4]
    while truth[-1] < 28:
        truth.append(truth[-1] + 60 / (100 + 40 * truth[-1] / 30))
    truth = np.array(truth)
    beats = beats_of(written(tmp_path / "fast.wav", strikes(kick, truth, 30)))
    assert len(beats) == len(truth)
    assert np.abs(errors(beats, truth)).max() < 5


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.6), (0.6, 0.5), (0.45, 0.5), (0.5, 0.45)])
def test_a_tempo_that_jumps_moves_no_beat(tmp_path, before, after):
    truth = np.concatenate([np.arange(0.5, 7.9, before), np.arange(8, 15.9, after)])
    beats = beats_of(written(tmp_path / "jump.wav", strikes(click, truth, 16) + noise(16, 0.001)))
    assert len(beats) == len(truth)
    assert np.abs(errors(beats, truth)).max() < 5


def test_beats_go_on_through_a_break(tmp_path):
    truth = np.arange(0.3, 39.5, 60 / 124)
    struck = truth[(truth < 15) | (truth > 22)]
    beats = beats_of(written(tmp_path / "break.wav", strikes(kick, struck, 40) + noise(40, 0.002)))
    assert len(beats) == len(truth)
    assert np.abs(errors(beats, truth)).max() < 20


def test_human_timing_is_evened(tmp_path):
    even = np.arange(0.3, 29.5, 0.5)
    played = even + np.random.default_rng(0).normal(size=len(even)) * 0.008
    beats = beats_of(written(tmp_path / "human.wav", strikes(kick, played, 30)))
    assert np.abs(errors(beats, even)).max() < 12
    assert np.diff(beats).std() < 0.6 * np.diff(played).std()


def test_beats_end_with_the_music(tmp_path):
    truth = np.arange(3.25, 12, 0.5)
    beats = beats_of(written(tmp_path / "middle.wav", strikes(click, truth, 20)))
    assert len(beats) == len(truth)


@pytest.mark.parametrize(
    "sound",
    [np.zeros(10 * RATE), noise(40), np.cumsum(noise(40, 0.001)), sine(440, 20), strikes(click, [1.0], 4)],
    ids=["silence", "noise", "rumble", "tone", "one click"],
)
def test_what_has_no_beat_has_none(tmp_path, sound):
    analysis = analyse(written(tmp_path / "sound.wav", sound), [], beats=True)
    assert analysis.beats_s is None
    assert analysis.warnings == ("no beat was found in sound.wav",)


def test_beats_make_a_grid_and_pulses(tmp_path):
    truth = np.arange(0.3, 19.5, 0.5)
    analysis = analyse(written(tmp_path / "clicks.wav", strikes(click, truth, 20)), [], beats=True)
    grid = BeatGrid(analysis.beats_s)
    assert grid.bpm == pytest.approx(120, abs=0.05)
    assert grid.beat_at(truth) == pytest.approx(np.arange(len(truth)), abs=0.01)
    pulses = sampled(analysis, {"from": "beat", "release": 0}, 60)
    assert np.flatnonzero(pulses == 1) == pytest.approx(np.round(truth * 60), abs=1)


NIGHT_DRIVE = bundled("music", (".ogg",)).get("night_drive")


@pytest.mark.skipif(NIGHT_DRIVE is None, reason="the bundled piece is not here")
def test_the_bundled_piece_is_at_120():
    analysis = analyse(NIGHT_DRIVE, [], beats=True)
    beats = np.array(analysis.beats_s)
    assert analysis.duration_s == Fraction(32)
    assert bpm(beats) == pytest.approx(120, abs=0.1)
    assert np.abs(errors(beats, np.arange(0, 31, 0.5))).max() < 10
