"""The words of signals: what goes together, short forms, bands in expressions, mistakes at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandream.recipe.heard import Notes, _notes
from gandream.recipe.load import load_recipe
from gandream.recipe.signals import KINDS, PITCHES, Signal

SONG = "audio: song.wav\n"


def signal(words: object) -> Signal:
    return Signal.model_validate(words)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_short_to_write(load, kind):
    words = "{from: band, high: 100}" if kind == "band" else kind
    assert load(SONG + f"signals: {{k: {words}}}").signals["k"].source == kind


def test_bands_by_name():
    assert signal("chroma").band_names == PITCHES
    assert signal("mel").band_names == tuple("01234567")
    assert signal({"from": "mel", "bands": 3}).band_names == ("0", "1", "2")
    assert len(signal("contrast").band_names) == 7
    assert len(signal("tonnetz").band_names) == 6
    for single in ("rms", "centroid", "beat", "section"):
        assert signal(single).band_names == ()
    assert signal("chroma").band_at("Bb") == 10
    assert signal("mel").band_at("Bb") is None
    assert signal("mel").band_at("7") == 7


def test_bands_in_expressions(load, mistake):
    load(SONG + "signals: {m: mel}\ntruncation: 0.5 + m.0 * m.7")
    error = mistake(SONG + "signals: {m: mel}\ntruncation: m.8")
    assert (error.problem, error.hint) == (
        "'m' has no '.8' (column 1 of the expression)",
        "Its bands: 0, 1, 2, 3, 4, 5, 6, 7.",
    )
    error = mistake(SONG + "signals: {m: tonnetz}\ntruncation: m")
    assert error.problem.startswith("'m' has 6 bands")
    assert error.hint == "Choose one: m.0, m.1 ... m.5."


def test_short_forms():
    assert signal({"from": "rms", "quantise": 4}) == signal({"from": "rms", "quantise": {"steps": 4}})
    assert signal({"from": "onset", "clip": 95}).clip == (0, 95)


def test_automation_needs_no_music(load, write):
    Path("take.mid").write_bytes(b"MThd")
    Path("a.csv").write_text("t,x\n0,1\n")
    recipe = load("signals: {k: {midi: take.mid, note: C2}, x: {csv: a.csv#x}}")
    assert recipe.signals["k"].source == "midi"
    assert recipe.signals["k"].automated
    assert recipe.signals["x"].csv is not None
    assert (recipe.signals["x"].csv.path.name, recipe.signals["x"].csv.column) == ("a.csv", "x")
    assert recipe.signals["x"].csv.path.is_absolute() or recipe.signals["x"].csv.path.exists()


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        (36, (36,)),
        ("36", (36,)),
        ("C4", (60,)),
        ("c-1", (0,)),
        ("G9", (127,)),
        ("F#3", (54,)),
        ("Bb2", (46,)),
        ("36-40", (36, 37, 38, 39, 40)),
        ("C2-D2", (36, 37, 38)),
        ("C-1-D-1", (0, 1, 2)),
        ([36, "C2", "40-41"], (36, 40, 41)),
    ],
)
def test_notes(written, numbers):
    assert _notes(written).numbers == numbers
    assert _notes(_notes(written)) == _notes(written)


@pytest.mark.parametrize("written", [128, -1, "H2", "40-36", "C10", [], True, 36.5, None, "36-", "C", {}])
def test_what_is_no_note(written):
    with pytest.raises(Exception, match="wanted a note"):
        _notes(written)
    assert isinstance(_notes(36), Notes)


WRONG = [
    ("{from: beat, low: 3}", "signals.k.low = 3", "`low` doesn't apply to beat", "It goes with: band, centroid"),
    ("{from: rms, bands: 8}", "signals.k.bands = 8", "`bands` doesn't apply to rms", "contrast, mel"),
    ("{from: contrast, bands: 8}", "signals.k.bands = 8", "contrast has from 2 to 7 bands", ""),
    ("{from: onset, detector: flux2}", "signals.k.detector = flux2", "wanted a detector", "Did you mean 'flux'?"),
    ("{from: chroma, kind: cq}", "signals.k.kind = cq", "wanted a kind of chroma: cqt, stft, cens", "'cqt'"),
    ("{from: rms, part: drums}", "signals.k.part = drums", "wanted a part: harmonic, percussive", ""),
    ("{from: harmonic, part: percussive}", "signals.k.part", "doesn't apply to harmonic", ""),
    ("{from: rms, margin: 2}", "signals.k.margin = 2", "`margin` goes with `part: harmonic`", ""),
    ("{from: rms, causal: 0}", "signals.k.causal = 0", "`causal` goes with `smooth`", ""),
    ("{from: rms, peaks: 97, clip: 95}", "signals.k", "`clip` and `peaks` can't both", ""),
    ("{from: rms, compress: 2}", "signals.k.compress = 2", "wanted words with values: threshold, ratio", ""),
    ("{from: rms, compress: {threshold: 2, ratio: 2}}", "signals.k.compress.threshold = 2", "must be", ""),
    ("{from: rms, expand: {threshold: 0.5, ratio: 0.5}}", "signals.k.expand.ratio = 0.5", "must be", ""),
    ("{from: rms, quantise: 0}", "signals.k.quantise", "must be", ""),
    ("{from: rms, scale: big}", "signals.k.scale = big", "wanted `piece`, `none`", ""),
    ("{from: rms, scale: 0}", "signals.k.scale = 0", "wanted `piece`, `none`", ""),
    ("{from: midi}", "signals.k = ", "which file? Write {midi: take.mid, note: 36}", ""),
    ("{from: rms, midi: song.wav}", "signals.k.midi", "`midi` doesn't apply to rms", ""),
    ("{midi: no.mid}", "signals.k.midi = no.mid", "no such file", ""),
    ("{midi: song.wav, note: 36, controller: 7}", "signals.k", "can't both be given", ""),
    ("{midi: song.wav, channel: 0}", "signals.k.channel = 0", "must be", ""),
    ("{midi: song.wav, interpolate: step}", "signals.k.interpolate = step", "doesn't apply to midi", "csv"),
    ("{csv: 'no.csv#x'}", "signals.k.csv = no.csv#x", "no such file", ""),
    ("{csv: 'song.wav#'}", "signals.k.csv = song.wav#", "after the # comes the name or number", ""),
    ("{csv: 'song.wav#x', interpolate: cubic}", "signals.k.interpolate = cubic", "wanted an interpolation", ""),
]


@pytest.mark.parametrize(("words", "where", "problem", "hint"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_told(mistake, words, where, problem, hint):
    error = mistake(SONG + f"signals: {{k: {words}}}")
    assert f"  {where}".rstrip(" =") in error.where
    assert problem in error.problem
    assert hint in error.hint


def test_the_count_of_sections(load, mistake):
    assert load("sections: {count: 5}").sections.count == 5
    assert load("sections: {count: auto}").sections.count is None
    for count in ("0", "13", "many", "2.5", "true"):
        assert "wanted `auto` or how many" in mistake(f"sections: {{count: {count}}}").problem


TEMPO = [
    ("{bpm: 120, beats: [0, 1]}", "can't both be given"),
    ("{bpm: 120, factor: 2}", "corrects a tempo that was heard"),
    ("{beats: [0, 1], factor: 2}", "corrects a tempo that was heard"),
    ("{beats: [0, 2, 1]}", "beats must rise; 1s (number 3) comes after 2s"),
    ("{beats: [0, 1, 1]}", "beats must rise"),
    ("{beats: [0, 2 beats]}", "wanted times in seconds or frames"),
    ("{beats: [1]}", "too short"),
    ("{factor: 0}", "must be"),
    ("{factor: 9}", "must be"),
]


@pytest.mark.parametrize(("words", "problem"), TEMPO)
def test_a_tempo_by_hand(mistake, words, problem):
    error = mistake(SONG + f"tempo: {words}")
    assert problem in error.problem


def test_signals_survive_a_round_trip(load, tmp_path):
    import yaml

    (tmp_path / "take.mid").write_bytes(b"MThd")
    (tmp_path / "a.csv").write_text("t,x\n0,1\n")
    words = """signals:
  a: {from: mel, bands: 4, low: 100, part: harmonic, margin: 2, smooth: 0.2, causal: 0.1, quantise: 4, scale: none}
  b: {from: onset, detector: complex, peaks: 97, compress: {threshold: 0.5, ratio: 2}, hold: 0.1}
  c: {midi: take.mid, note: [36, C4, 40-42], channel: 10}
  d: {csv: 'a.csv#x', interpolate: step, scale: 2}
sections: {count: 4}
tempo: {factor: 2}
"""
    recipe = load(SONG + words)
    again = yaml.safe_dump(recipe.model_dump(mode="json", by_alias=True, include={"signals", "sections", "tempo"}))
    Path("again.yaml").write_text("model: cppn#7\n" + SONG + again)
    second = load_recipe("again.yaml")
    assert (second.signals, second.sections, second.tempo) == (recipe.signals, recipe.sections, recipe.tempo)
