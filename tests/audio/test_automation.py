"""MIDI files and tables as signals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from sounds import signal

from gandream.audio.automation import automation, read_column
from gandream.base.errors import AudioError


@pytest.fixture
def table(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "a.csv"
        path.write_bytes(text.encode())
        return path

    return write


def curve(words: dict, end_s: float = 4.0) -> np.ndarray:
    return automation(signal(words), end_s)[0]


def test_a_column_by_name_is_interpolated_and_held_beyond_its_ends(table):
    path = table("time,cutoff,gain\n1,100,0\n2,300,1\n3,-100,0.5\n")
    cutoff = curve({"csv": f"{path}#cutoff"})
    assert cutoff[[0, 150, 225, 300, 375, 450, 600]] == pytest.approx([100, 100, 200, 300, 100, -100, -100])
    stepped = curve({"csv": f"{path}#gain", "interpolate": "step"})
    assert stepped[[0, 149, 150, 299, 300, 449, 450, 600]].tolist() == [0, 0, 0, 0, 1, 1, 0.5, 0.5]
    assert len(cutoff) >= 601


def test_scales_of_a_table(table):
    path = table("t;x\n0;-2\n4;6\n")
    assert curve({"csv": f"{path}#x", "scale": "piece"})[[0, 300, 600]] == pytest.approx([0, 0.5, 1])
    assert curve({"csv": f"{path}#x", "scale": 4})[[0, 600]] == pytest.approx([-0.5, 1.5])


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("0,5\n1,7\n", "2"),
        ("0;5\n1;7\n", ""),
        ("\ufefft\tx\n0\t5\n\n1\t7\n", "x"),
        ("t, x \r\n0, 5\r\n1, 7\r\n", "x"),
        ("t,y,x\n0,0,5\n1,0,7\n", "3"),
    ],
)
def test_tables_are_read_as_they_come(table, text, column):
    times, values = read_column(table(text), column)
    assert (times.tolist(), values.tolist()) == ([0, 1], [5, 7])


@pytest.mark.parametrize(
    ("text", "column", "where", "problem"),
    [
        ("t,x\n0,1\n1,nan\n", "x", "a.csv, row 3, column x", "found 'nan'"),
        ("t,x\n0,1\n1,\n", "x", "a.csv, row 3, column x", "found an empty cell"),
        ("t,x\n0,1\n1\n", "x", "row 3", "an empty cell"),
        ("t,x\n0,1\none,2\n", "x", "a.csv, row 3, column t", "wanted a time in seconds, found 'one'"),
        ("t,x\n0,1\ninf,2\n", "x", "row 3", "'inf'"),
        ("t,x\n0,1\n2,1\n\n1,2\n", "x", "a.csv, row 5", "times must rise: 1 s comes after 2 s"),
        ("t,x\n0,1\n0,2\n", "x", "row 3", "times must rise"),
        ("t,gain\n0,1\n", "gian", "a.csv", "no column 'gian'"),
        ("0,1\n", "x", "a.csv", "no column 'x'"),
        ("t,x,y\n0,1,2\n", "", "a.csv", "which column"),
        ("t\n0\n", "", "a.csv", "only one"),
        ("t,x\n", "x", "a.csv", "no rows"),
        ("", "x", "a.csv", "empty"),
        ("\n\n", "x", "a.csv", "empty"),
    ],
)
def test_mistakes_in_tables_name_the_row(table, text, column, where, problem):
    with pytest.raises(AudioError) as caught:
        read_column(table(text), column)
    assert where in caught.value.where
    assert problem in caught.value.problem


def test_the_nearest_column_is_named(table):
    with pytest.raises(AudioError) as caught:
        read_column(table("t,gain,x\n0,1,1\n"), "gian")
    assert caught.value.hint == "Did you mean 'gain'? There is: gain, x."


def test_what_is_no_table(tmp_path):
    (tmp_path / "a.csv").write_bytes(bytes(range(128, 256)))
    with pytest.raises(AudioError, match="not text"):
        read_column(tmp_path / "a.csv", "x")


# --- MIDI ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def midi(tmp_path):
    """A kick (36) on each beat at 120 bpm, then at 60 bpm from 1 s on, snares (38) on channel 10, a controller."""
    mido = pytest.importorskip("mido")
    file = mido.MidiFile(ticks_per_beat=480)
    tempo, notes, moves = mido.MidiTrack(), mido.MidiTrack(), mido.MidiTrack()
    tempo += [mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("set_tempo", tempo=1_000_000, time=960)]
    for beat in range(4):
        notes.append(mido.Message("note_on", note=36, velocity=127 - 20 * beat, time=240 if beat else 0))
        notes.append(mido.Message("note_on", note=36, velocity=0, time=0))  # an end, written as many do
        notes.append(mido.Message("note_on", note=38, velocity=64, channel=9, time=240))
    moves += [
        mido.Message("control_change", control=7, value=127, time=480),
        mido.Message("control_change", control=7, value=0, time=480),
    ]
    file.tracks.extend([tempo, notes, moves])
    file.save(tmp_path / "take.mid")
    return str(tmp_path / "take.mid")


def struck(values: np.ndarray) -> dict[int, float]:
    return {int(at): round(float(values[at]) * 127) for at in np.flatnonzero(values)}


def test_notes_strike_with_their_velocity_through_changes_of_tempo(midi):
    # beats 0, 1, 2, 3 are at 0, 0.5, 1 and 2 s
    assert struck(curve({"midi": midi, "note": 36})) == {0: 127, 75: 107, 150: 87, 300: 67}
    assert struck(curve({"midi": midi, "note": 38})) == {38: 64, 112: 64, 225: 64, 375: 64}
    both = struck(curve({"midi": midi}))
    assert both == struck(curve({"midi": midi, "note": "36-40"})) == struck(curve({"midi": midi, "note": ["C2", 38]}))
    assert len(both) == 8
    assert struck(curve({"midi": midi, "channel": 10})) == struck(curve({"midi": midi, "note": "D2"}))


def test_a_controller_steps(midi):
    values = curve({"midi": midi, "controller": 7})
    assert values[[0, 74, 75, 149, 150, 500]].tolist() == [0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ({"note": 60}, "none of these notes", "There is: 36, 38."),
        ({"note": 36, "channel": 10}, "none of these notes is played on channel 10", "38"),
        ({"channel": 3}, "no notes in this MIDI file on channel 3", ""),
        ({"controller": 1}, "controller 1 is never moved", "There is: 7."),
    ],
)
def test_what_is_not_in_the_file(midi, words, problem, hint):
    with pytest.raises(AudioError) as caught:
        curve({"midi": midi, **words})
    assert problem in caught.value.problem
    assert hint in caught.value.hint


def test_files_without_notes_and_no_files(tmp_path):
    mido = pytest.importorskip("mido")
    empty = mido.MidiFile()
    empty.tracks.append(mido.MidiTrack())
    empty.save(tmp_path / "empty.mid")
    with pytest.raises(AudioError, match="there are no notes in this MIDI file"):
        curve({"midi": str(tmp_path / "empty.mid")})
    for content in (b"", b"MThd", b"RIFF....", b"MThd\0\0\0\6\0\1\0\1\1\xe0MTrk\0\0\0\4\0\x90"):
        (tmp_path / "bad.mid").write_bytes(content)
        with pytest.raises(AudioError):
            curve({"midi": str(tmp_path / "bad.mid")})


def test_without_mido_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "take.mid").write_bytes(b"MThd")
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(AudioError) as caught:
        curve({"midi": str(tmp_path / "take.mid")})
    assert caught.value.hint == 'Install it: pip install "gandream[midi]"'
