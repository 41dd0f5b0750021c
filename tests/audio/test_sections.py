"""Sections, what is laid over them and over beats, and the key, on pieces whose form is known."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from sounds import RATE, click, hat, kick, noise, sampled, signal, sine, snare, strikes, written

from gandream.audio import sections as module
from gandream.audio.analyse import Analysis, analyse
from gandream.audio.key import key_of, loudness_range_db
from gandream.audio.laid import Grid, drop, label, section, section_start, tempo
from gandream.audio.measure import REGISTERS
from gandream.audio.sections import Section, segment
from gandream.base import ffmpeg
from gandream.base.assets import bundled

NIGHT_DRIVE = bundled("music", (".ogg",)).get("night_drive")
BEAT = 0.5
KINDS = {
    "A": ((220.0, 261.63, 329.63, 440.0), kick, 0.12),
    "B": ((174.6, 220.0, 261.63, 349.2), snare, 0.2),
    "C": ((196.0, 246.94, 293.66, 392.0), hat, 0.15),
}


def piece(form: str, bars: int = 8) -> np.ndarray:
    """Parts of some bars at 120 bpm: a chord, an arpeggio over it, drums."""
    beats = 4 * bars
    t = np.arange(round(beats * BEAT * RATE)) / RATE
    parts = []
    for kind in form:
        chord, drum, level = KINDS[kind]
        sound = sum(np.sin(2 * np.pi * hz * h * t) / h for hz in chord for h in (1, 2, 3)) * level / 4
        note = np.array(chord)[(t / BEAT).astype(int) % 4]
        sound += 0.1 * np.sin(2 * np.pi * 2 * note * t)
        for one, loud in ((drum, 0.6), (kick, 0.3)):
            sound += strikes(one, np.arange(0, beats * BEAT - 0.1, BEAT), beats * BEAT, loud)
        parts.append(sound)
    return np.concatenate(parts) * 0.4 + noise(len(form) * beats * BEAT, 0.002)


@pytest.fixture(scope="module")
def songs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("songs")

    def make(form: str):
        path = folder / f"{form}.wav"
        return path if path.exists() else written(path, piece(form))

    return make, folder / "cache"


@pytest.mark.parametrize("form", ["ABCB", *(pytest.param(form, marks=pytest.mark.slow) for form in ("ABA", "AABA"))])
def test_what_recurs_has_one_label(songs, form):
    make, cache = songs
    found = analyse(make(form), [], beats=True, sections="auto", cache=cache).sections
    assert found is not None
    shown = "".join(one.label for one in found)
    assert shown == form.replace("AA", "A")
    assert found[0].start_s == 0
    assert found[-1].end_s == 16.0 * len(form)
    for one, other in pairwise(found):
        assert one.end_s == other.start_s
        assert other.start_s / 16 == pytest.approx(round(other.start_s / 16), abs=0.04)


@pytest.mark.slow
def test_one_section_where_nothing_changes_and_where_nothing_is(songs, tmp_path):
    make, cache = songs
    for path, count in ((make("A"), "auto"), (make("ABCB"), 1)):
        found = analyse(path, [], beats=True, sections=count, cache=cache).sections
        assert [one.label for one in found or ()] == ["A"]
    for seconds in (0.05, 3, 20):
        silent = analyse(written(tmp_path / "silent.wav", np.zeros(round(seconds * RATE))), [], beats=False, sections=4)
        assert silent.sections == (Section(0.0, float(silent.duration_s), "A"),)


def test_as_many_kinds_as_asked(songs):
    make, cache = songs
    for count in (2, 3):
        found = analyse(make("ABCB"), [], beats=True, sections=count, cache=cache).sections
        assert len({one.label for one in found or ()}) == count


def test_sections_without_a_beat(tmp_path):
    parts = [sum(sine(hz, 12) for hz in chord) for chord in ((220, 330), (147, 185, 880), (220, 330))]
    path = written(tmp_path / "drone.wav", np.concatenate(parts) * 0.2 + noise(36, 0.01))
    found = analyse(path, [], beats=False, sections="auto")
    assert "".join(one.label for one in found.sections or ()) == "ABA"
    assert found.beats_s is None
    assert found.warnings == ()  # no beat was asked for
    assert [one.start_s for one in found.sections or ()] == pytest.approx([0, 12, 24], abs=0.6)


def test_sections_come_from_the_cache(songs, monkeypatch):
    make, cache = songs
    first = analyse(make("ABCB"), [], beats=True, sections=2, cache=cache)

    def refuse(*arguments, **more):
        raise RuntimeError("decoding is forbidden")

    monkeypatch.setattr(ffmpeg, "spawn", refuse)
    assert analyse(make("ABCB"), [], beats=True, sections=2, cache=cache).sections == first.sections


def test_a_long_piece_is_compared_in_bounded_units():
    beats = tuple(np.arange(0.1, 3600, 0.3))
    edges = module._units(3600.0, beats)
    assert len(edges) - 1 <= module.MOST_UNITS + 1
    assert (np.diff(edges) > 0).all()
    assert (edges[0], edges[-1]) == (0, 3600)


def test_segment_is_a_function_of_its_input():
    dice = np.random.default_rng(2)
    chroma, timbre = dice.random((12, 6000)), dice.random((40, 6000))
    chroma[3, 3000:] += 2
    timbre[20:, 3000:] += 2
    found = [segment(chroma.copy(), timbre.copy(), 150, 40.0, None, None) for _ in range(2)]
    assert found[0] == found[1]
    assert [one.start_s for one in found[0]] == [0, 20]


@pytest.mark.skipif(NIGHT_DRIVE is None, reason="the bundled piece is not here")
def test_the_bundled_piece():
    """Its score: quiet intro, bell and kick from 4 s, drop at 12 s, breakdown at 20 s, second drop at 24 s."""
    assert NIGHT_DRIVE is not None
    found = analyse(NIGHT_DRIVE, [], beats=True, sections="auto")
    assert found.beats_s is not None
    assert 60 / np.median(np.diff(found.beats_s)) == pytest.approx(120, abs=0.2)
    starts = [one.start_s for one in found.sections or ()]
    assert starts == pytest.approx([0, 4, 12, 20, 24], abs=0.1)
    assert [one.label for one in found.sections or ()] == ["A", "B", "C", "B", "C"]
    drops = sampled(analyse(NIGHT_DRIVE, [signal("drop")], beats=False), "drop", 30)
    assert int(np.argmax(drops)) == pytest.approx(12 * 30, abs=2)
    assert drops[24 * 30 + 3] > 0.6
    assert drops[20 * 30 + 3] < 0.1


# --- what is laid over them ----------------------------------------------------------------------------------------
FORM = (Section(0, 2, "A"), Section(2, 5, "B"), Section(5, 6, "A"), Section(6, 10, "C"))


def analysis(**more) -> Analysis:
    return Analysis("", Fraction(10), sections=FORM, **more)


def test_steps_of_sections_and_labels():
    at = [150, 450, 810, 1200]
    assert section(analysis(), Grid())[0, at].tolist() == [0, 1, 2, 3]
    assert label(analysis(), Grid())[0, at].tolist() == [0, 1, 0, 2]
    assert sampled(analysis(), "section", 10)[[10, 30, 54, 80]] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert sampled(analysis(), {"from": "label", "scale": "none"}, 10)[[10, 30, 54, 80]].tolist() == [0, 1, 0, 2]
    assert np.flatnonzero(section_start(analysis(), Grid())[0]).tolist() == [0, 300, 750, 900]


def test_a_drop_is_what_came_back_by_hand():
    registers = np.zeros((8, 1501))
    registers[:, :] = 0.2
    registers[4:, 300:] = 1.0  # half of the registers come, at 2 s
    registers[:4, 0] = 1.0
    found = drop(analysis(features={REGISTERS.key: registers}), Grid())[0]
    assert np.flatnonzero(found > 1e-9).tolist() == [300]
    assert found[300] == pytest.approx(0.4, abs=1e-3)  # (4 · 0.8 - what left) / 8, and nothing is taken off for that


def test_the_tempo_is_that_of_four_beats():
    beats = tuple(np.concatenate([np.arange(0, 5, 0.5), np.arange(5, 10, 0.25)]))
    found = tempo(analysis(), Grid(beats))[0]
    assert found[[0, 300]] == pytest.approx([120, 120])
    assert found[[1200, 1500]] == pytest.approx([240, 240])
    assert found[712] == pytest.approx(60 * 4 / (5.5 - 4.0), rel=0.01)  # 4.75 s, in the middle of these four
    assert not tempo(analysis(), Grid((1.0,))).any()
    steady = sampled(analysis(beats_s=beats), {"from": "tempo", "scale": "none"}, 10)
    assert steady[10] == pytest.approx(120)


def test_bars_are_each_fourth_beat_where_nothing_else_is_said():
    beats = tuple(np.arange(0.25, 10, 0.5))
    bars = sampled(analysis(beats_s=beats), {"from": "bar", "release": 0}, 60)
    assert np.flatnonzero(bars == 1).tolist() == [round((0.25 + 2 * k) * 60) for k in range(5)]


# --- key and loudness ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("chords", "name"),
    [
        ([(60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67)], "C major"),
        ([(57, 60, 64), (62, 65, 69), (64, 68, 71), (57, 60, 64)], "A minor"),
        ([(66, 70, 73), (71, 75, 78), (61, 65, 68), (66, 70, 73)], "F# major"),
    ],
)
def test_the_key_of_a_cadence(tmp_path, chords, name):
    sound = np.concatenate([sum(sine(440 * 2 ** ((note - 69) / 12), 1.5) for note in chord) / 3 for chord in chords])
    path = written(tmp_path / "cadence.wav", sound)
    key = key_of(sampled(path, "chroma", 30).T)
    assert key is not None
    assert key.name == name
    assert key.fit > 0.8
    assert key.next_fit < key.fit


def test_nothing_has_no_key_and_no_loudness():
    assert key_of(np.zeros((12, 100))) is None
    assert loudness_range_db(np.zeros(1000), 150) is None


def test_the_loudness_range_of_two_levels():
    levels = np.repeat([0.1, 1.0], 30 * 150)
    assert loudness_range_db(levels, 150) == pytest.approx(20, abs=0.1)
    assert loudness_range_db(np.full(3000, 0.5), 150) == pytest.approx(0, abs=1e-9)
    hushed = np.concatenate([levels, np.full(30 * 150, 1e-3)])  # 20 dB below the mean and more is left out
    assert loudness_range_db(hushed, 150) < 21


def test_beats_of_clicks_are_the_clicks(tmp_path):
    path = written(tmp_path / "clicks.wav", strikes(click, np.arange(0.2, 12, 0.6), 12))
    found = sampled(path, {"from": "tempo", "scale": "none"}, 30)
    assert found == pytest.approx(np.full(len(found), 100), rel=0.01)
