"""Tempo told and corrected by hand, and signals from elsewhere than music, on the film's time line."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gandream.audio.analyse import Analysis, feature_key
from gandream.audio.measure import REGISTERS
from gandream.audio.sections import Section
from gandream.base.errors import AudioError, RecipeError
from gandream.trajectory.beats import film_grid
from gandream.trajectory.listen import lay_out, listen, sampled

RATE = 22050


@pytest.fixture
def heard(written, tmp_path: Path):
    """The time line and the signals of a recipe; clicks.wav has clicks at 0.25 s and each half second after it."""
    sound = np.zeros(12 * RATE)
    for start in np.arange(0.25, 11.9, 0.5):
        t = np.arange(int(0.05 * RATE)) / RATE
        sound[round(start * RATE) :][: len(t)] += 0.7 * np.sin(2 * np.pi * 1000 * t) * np.exp(-t / 0.01)
    soundfile.write(tmp_path / "clicks.wav", sound, RATE)

    def hear(text: str, **more):
        recipe = written(text)
        found = listen(recipe, tmp_path / "cache", **more)
        music = found[recipe.audio.path] if recipe.audio else None
        line = lay_out(recipe, music)
        return line, sampled(recipe, found, line), found

    return hear


def pulses(values: np.ndarray, fps: int = 30) -> np.ndarray:
    return np.flatnonzero(values >= 0.999) / fps


MUSIC = "audio: clicks.wav\n"
BEATS = "signals: {b: {from: beat, release: 0}, r: {from: bar, release: 0}, s: {from: tempo, scale: none}}\n"


def test_beats_and_bars_as_heard(heard):
    line, signals, _ = heard(MUSIC + BEATS)
    assert line.grid.bpm == pytest.approx(120, abs=0.5)
    assert pulses(signals["b"]) == pytest.approx(np.arange(0.25, 11.9, 0.5), abs=0.03)
    assert pulses(signals["r"]) == pytest.approx(np.arange(0.25, 11.9, 2.0), abs=0.03)
    assert signals["s"] == pytest.approx(np.full(360, 120), rel=0.01)


@pytest.mark.parametrize(("factor", "apart"), [(2, 0.25), (0.5, 1.0), (3, 0.5 / 3), (1, 0.5)])
def test_a_factor_corrects_what_was_heard(heard, factor, apart):
    line, signals, _ = heard(MUSIC + BEATS + f"tempo: {{factor: {factor}}}")
    assert line.grid.bpm == pytest.approx(60 / apart, rel=0.005)
    assert pulses(signals["b"]) == pytest.approx(np.arange(0.25, 11.751, apart), abs=0.035)
    assert signals["s"][150] == pytest.approx(60 / apart, rel=0.01)


def test_of_every_second_beat_those_are_kept_that_meet_the_first(heard):
    _, signals, _ = heard(MUSIC + BEATS + "tempo: {factor: 0.5, first_beat: 0.75}")
    assert pulses(signals["b"]) == pytest.approx(np.arange(0.75, 11.9, 1.0), abs=0.03)
    assert pulses(signals["r"]) == pytest.approx(np.arange(0.75, 11.9, 4.0), abs=0.03)


def test_a_tempo_that_is_told_goes_through_the_whole_music_and_nothing_is_tracked(heard):
    line, signals, found = heard(MUSIC + BEATS + "tempo: {bpm: 100, first_beat: 0.5, beats_per_bar: 3}")
    assert pulses(signals["b"]) == pytest.approx(np.arange(0.5, 12, 0.6), abs=0.02)
    assert pulses(signals["r"]) == pytest.approx(np.arange(0.5, 12, 1.8), abs=0.02)
    assert signals["s"] == pytest.approx(np.full(360, 100))
    assert all(analysis.beats_s is None for analysis in found.values())
    assert line.grid.bpm == pytest.approx(100)


def test_beats_told_one_by_one(heard):
    line, signals, _ = heard(MUSIC + BEATS + "tempo: {beats: [0.5, 1, 2, 4, 8], first_beat: 1}")
    assert pulses(signals["b"]).tolist() == [0.5, 1, 2, 4, 8]
    assert pulses(signals["r"]).tolist() == [1]
    assert float(line.grid.beat_at(3.0)) == 2.5


def test_too_few_beats_are_left(written, tmp_path):
    (tmp_path / "clicks.wav").write_bytes(b"no matter")
    recipe = written(MUSIC + "tempo: {factor: 0.125}\nsignals: {b: beat}")
    with pytest.raises(RecipeError, match="of 4 beats that were heard, too few are left") as caught:
        film_grid(recipe, Analysis("", Fraction(10), beats_s=(0.5, 1.0, 1.5, 2.0)), True)
    assert "tempo.factor = 0.125" in caught.value.where


def test_sections_are_found_where_they_are_asked_for(heard):
    _, signals, found = heard(MUSIC + "signals: {s: section_start}\nsections: {count: 1}")
    (analysis,) = found.values()
    assert [one.label for one in analysis.sections] == ["A"]
    assert signals["s"][0] == 1
    _, _, found = heard(MUSIC, sections=True)
    assert next(iter(found.values())).sections is not None
    _, _, found = heard(MUSIC)
    assert next(iter(found.values())).sections is None


def test_a_table_without_music(heard, tmp_path):
    (tmp_path / "a.csv").write_text("time,x\n0,0\n4,1\n")
    _, signals, _ = heard("signals: {x: {csv: 'a.csv#x'}}\nvideo: {duration: 5, fps: 25}")
    assert signals["x"] == pytest.approx(np.minimum(np.arange(125) / 100, 1), abs=1e-6)


def test_a_table_is_on_the_musics_clock(heard, tmp_path):
    (tmp_path / "a.csv").write_text("time,x\n0,0\n10,1\n")
    _, signals, _ = heard(MUSIC + "signals: {x: {csv: 'a.csv#2', range: [10, 20]}}\nvideo: {start: 5, fps: 25}")
    assert signals["x"][[0, 25, 125, 174]] == pytest.approx([15, 16, 20, 20])


def test_a_table_that_is_wrong_is_told_at_its_word(heard, tmp_path):
    (tmp_path / "a.csv").write_text("time,x\n0,0\n1,nan\n")
    with pytest.raises(AudioError) as caught:
        heard("signals:\n  x: {csv: 'a.csv#x'}\nvideo: {duration: 5}")
    assert "film.yaml:2:7  signals.x.csv = a.csv#x" in caught.value.where
    assert caught.value.problem == "a.csv, row 3, column x: wanted a number, found 'nan'"


def test_ten_minutes_at_60_frames_are_sampled_within_two_seconds(written, tmp_path):
    """All kinds of words, 8 signals; what was measured is taken from a sound of no matter."""
    (tmp_path / "song.wav").write_bytes(b"no matter")
    recipe = written("""
        audio: song.wav
        signals: {a: {from: rms, smooth: 1, causal: 0.2}, b: {from: onset, peaks: 97, release: 0.3}, c: chroma,
                  d: {from: mel, hold: 0.1}, e: beat, f: section, g: {from: centroid, quantise: 4}, h: drop}
        video: {fps: 60}
        tempo: {bpm: 120}
    """)
    dice = np.random.default_rng(0)
    features = {}
    for signal, rows in (("a", 1), ("b", 1), ("c", 12), ("d", 8), ("g", 2)):
        features[feature_key(recipe.signals[signal])] = dice.random((rows, 90001), np.float32)
    features[REGISTERS.key] = dice.random((8, 90001), np.float32)
    form = (Section(0.0, 300.0, "A"), Section(300.0, 600.0, "B"))
    analysis = Analysis("", Fraction(600), features=features, sections=form)
    assert recipe.audio is not None
    line = lay_out(recipe, analysis)
    began = time.process_time()
    values = sampled(recipe, {recipe.audio.path: analysis}, line)
    assert time.process_time() - began < 2
    assert line.clock.frames == 36000
    assert sum(one.nbytes for one in values.values()) < 5e6
