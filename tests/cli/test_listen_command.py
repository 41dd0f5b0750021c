"""``gandream listen``: what it says and draws."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from gandream.run.listen import hear
from gandream.run.plot import COLUMNS, LEFT, SECTIONS, WIDTH, draw

RATE = 22050


@pytest.fixture
def song(here: Path) -> Path:
    """Clicks at 120 bpm, over a chord of A minor in the first half and one of C major higher up in the second."""
    sound = np.zeros(24 * RATE)
    for start in np.arange(0, 23.9, 0.5):
        t = np.arange(int(0.05 * RATE)) / RATE
        sound[round(start * RATE) :][: len(t)] += 0.5 * np.sin(2 * np.pi * 1000 * t) * np.exp(-t / 0.01)
    t = np.arange(12 * RATE) / RATE
    for half, chord in enumerate(((220.0, 261.63, 329.63), (523.25, 659.26, 783.99))):
        sound[half * 12 * RATE :][: len(t)] += 0.06 * sum(np.sin(2 * np.pi * hz * t) for hz in chord)
    soundfile.write(here / "song.wav", sound, RATE)
    return here / "song.wav"


def test_a_sound_file_is_told_and_drawn(gandream, song, here):
    said = gandream("listen", "song.wav")
    assert said.status == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "song.wav: 0:24.000"
    assert lines[1].startswith("  tempo     120.0 bpm, 48 beats, 4 to a bar")
    assert lines[2].startswith("  key       ")
    assert re.search(r"  sections   1  A  0:00.000 to 0:1[12]\.\d{3} ", said.out)
    assert re.search(r"             2  B  0:1[12]\.\d{3} to 0:24.000 ", said.out)
    assert lines[-1] == str(Path("outputs/song_heard.png"))
    with Image.open(here / lines[-1]) as picture:
        assert picture.size[0] == WIDTH
        assert picture.format == "PNG"


def test_json_is_for_programs(gandream, song, here):
    said = gandream("listen", "song.wav", "--json")
    found = json.loads(said.out)
    assert found["bpm"] == pytest.approx(120, abs=0.5)
    assert [one["label"] for one in found["sections"]] == ["A", "B"]
    assert found["sections"][1]["start_s"] == pytest.approx(12, abs=0.3)
    assert found["key"]["name"] in ("A minor", "C major")
    assert found["signals"]["notes"]["bands"] == 12
    assert not list(here.rglob("*.png"))


def test_a_recipe_is_told_with_its_own_signals(gandream, song, here):
    (here / "r.yaml").write_text(
        "model: cppn#7\naudio: song.wav\nvideo: {start: 6, duration: 6}\n"
        "signals: {level: {from: rms}, m: {from: mel, bands: 3}}\n"
    )
    said = gandream("listen", "r.yaml", "-o", "a/heard.png", "--set", "signals.level.smooth=0.1")
    assert said.status == 0, said.err
    assert "level: " in said.out
    assert ", 3 bands" in said.out
    assert (here / "a" / "heard.png").is_file()


def test_automation_alone_is_drawn_too(gandream, here):
    (here / "a.csv").write_text("t,x\n0,0\n1,1\n")
    (here / "r.yaml").write_text("model: cppn#7\nsignals: {x: {csv: 'a.csv#x'}}\nvideo: {duration: 2}\n")
    said = gandream("listen", "r.yaml", "-o", "h.png")
    assert (said.status, said.out.splitlines()[0]) == (0, "r.yaml: 0:02.000")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gone.wav",), "no such file"),
        (("song.wav", "-o", "x.jpg"), "should end in .png"),
        (("bad.yaml",), "no such word here"),
    ],
)
def test_bad_input(gandream, song, here, arguments, words):
    (here / "bad.yaml").write_text("model: cppn#7\naudo: song.wav\n")
    said = gandream("listen", *arguments)
    assert said.status == 2
    assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_the_picture_shows_what_was_heard(song, tmp_path):
    heard = hear(song, tmp_path / "cache")
    pixels = np.asarray(draw(heard)).astype(int)
    row = pixels[96 + 5]  # the ribbon of sections: two colours that meet in the middle
    assert row[LEFT + 20].tolist() == list(SECTIONS[0])
    assert row[LEFT + COLUMNS - 20].tolist() == list(SECTIONS[1])
    assert heard.beats[:, 0] == pytest.approx(np.arange(0, 24, 0.5), abs=0.03)
    assert heard.beats[:5, 1].tolist() == [1, 0, 0, 0, 1]
    assert np.abs(heard.wave).max() == 1
    assert heard.wave.shape == (COLUMNS, 2)
