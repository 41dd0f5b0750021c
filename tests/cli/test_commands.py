"""The command line: what each command says, and how it answers bad input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

GOOD = "model: cppn#7\nvideo: {size: 64, fps: 10, duration: 1, preset: ultrafast}\n"


def test_version_and_help_are_instant_and_load_nothing_heavy():
    program = "import sys; sys.argv = ['gandream', '--help']\nfrom gandream.cli.main import main\n"
    program += "try: main()\nexcept SystemExit: pass\n"
    program += "print([m for m in ('torch', 'librosa', 'scipy', 'numpy', 'pydantic', 'yaml') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("[]")
    assert "validate" in said.stdout


def test_version(gandream):
    said = gandream("--version")
    assert said.status == 0
    assert re.fullmatch(r"gandream \d+\.\d+\.\d+\n", said.out)


def test_render_says_where_the_film_is_and_no_more(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    said = gandream("render", "r.yaml")
    assert (said.status, said.out, said.err) == (0, f"outputs{os.sep}r.mp4\n", "")


def test_set_changes_the_recipe(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    assert gandream("still", "r.yaml", "--set", "video.size=32x48", "-o", "s.png").status == 0
    assert Image.open("s.png").size == (32, 48)


def test_a_still_is_the_frame_on_screen(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    said = gandream("still", "r.yaml", "--at", "0.25s")
    assert said.out == f"outputs{os.sep}r_at_0.25s.png\n"
    gandream("still", "r.yaml", "--at", "2 frames", "-o", "frame2.png")
    gandream("still", "r.yaml", "--at", "3 frames", "-o", "frame3.png")
    at_quarter = Image.open("outputs/r_at_0.25s.png").tobytes()
    assert at_quarter == Image.open("frame2.png").tobytes()
    assert at_quarter != Image.open("frame3.png").tobytes()


def test_validate_tells_all_recipes(gandream, here: Path):
    (here / "good.yaml").write_text(GOOD)
    (here / "bad.yaml").write_text(GOOD + "wlak: {through: [1]}\n")
    said = gandream("validate", "good.yaml", "bad.yaml", "missing.yaml")
    assert said.status == 2
    assert "good.yaml: good" in said.out
    assert "bad.yaml:3:1  wlak" in said.err
    assert "Did you mean 'walk'?" in said.err
    assert "missing.yaml\n  no such file" in said.err


def test_validate_knows_beats_without_a_tempo(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD + "walk: {every: 2 bars}\n")
    said = gandream("validate", "r.yaml")
    assert said.status == 2
    assert "no music and no tempo" in said.err
    assert gandream("validate", "r.yaml", "--set", "tempo.bpm=120").status == 0


def test_a_still_at_a_bar_of_the_music(gandream, here: Path, clicks: Path):
    (here / "r.yaml").write_text(GOOD + f"audio: {clicks}\n")
    assert gandream("still", "r.yaml", "--at", "1 beat", "-o", "s.png").status == 0
    said = gandream("still", "r.yaml", "--at", "40 bars")
    assert said.status == 2
    assert "In the music that is bars" in said.err


def test_doctor_finds_everything_it_needs(gandream, here: Path):
    said = gandream("doctor")
    assert said.status == 0
    for part in ("torch", "ffmpeg", "libx264", "cppn", "bundled:night_drive"):
        assert part in said.out


def test_doctor_says_what_to_do_about_a_missing_ffmpeg(here: Path):
    environment = {**os.environ, "IMAGEIO_FFMPEG_EXE": "/nowhere/ffmpeg", "COLUMNS": "200"}
    command = [sys.executable, "-m", "gandream", "doctor"]
    said = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert said.returncode == 1
    assert "/nowhere/ffmpeg" in said.stdout
    assert "IMAGEIO_FFMPEG_EXE" in said.stdout


MISTAKES = {
    "a missing recipe": (None, [], r"r\.yaml\n  no such file"),
    "a missing song": (GOOD + "audio: song.mp3\n", [], r"r\.yaml:3:1  audio = song\.mp3\n  no such file"),
    "a song that is text": (GOOD + "audio: r.yaml\nsignals: {a: rms}\n", [], r"r\.yaml:3:1  audio = r\.yaml\n"),
    "a missing model": ("model: faces.pkl\n", [], r"r\.yaml:1:1  model = faces\.pkl\n  no such file"),
    "a model nobody knows": ("model: r.yaml\n", [], r"r\.yaml:1:1  model = r\.yaml\n  this is text"),
    "no size": (GOOD, ["--set", "video.size=0"], r"--set video\.size=0  video\.size = 0\n  each side must be"),
    "a size of walls": (GOOD, ["--set", "video.size=100000"], r"each side must be from 16 to 8192 pixels"),
    "no frames a second": (GOOD, ["--set", "video.fps=0"], r"video\.fps = 0\n  must be from 1 to 240"),
    "frames a second that are no number": (GOOD, ["--set", "video.fps=.nan"], r"wanted frames per second"),
    "a division by zero": (
        GOOD + "truncation: 1/(t - 0.3)\n",
        [],
        r"r\.yaml:3:14  truncation = .*\n  divides by zero at 0:00\.300 \(frame 3\)",
    ),
    "a function that isn't there": (
        GOOD + "truncation: sine(t)\n",
        [],
        r"r\.yaml:3:13 .*\n  there is no function 'sine'.*\n  Did you mean 'sin'",
    ),
    "an attack": (GOOD + "truncation: \"__import__('os').system('x')\"\n", [], r"r\.yaml:3:\d+  truncation"),
    "a frame range beyond the film": (GOOD, ["--frames", "5:50"], r"--frames 5:50\n  the film has frames 0:10"),
    "a device that isn't here": (GOOD, ["--device", "cuda"], r"--device cuda\n"),
    "a film of another kind": (GOOD, ["-o", "film.avi"], r"film\.avi\n  the film will be mp4"),
    "a folder as film": (GOOD, ["-o", "."], r"this is a folder"),
    "beats without tempo": (GOOD + "walk: {every: 1 bar}\n", [], r"has no music and no tempo"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_bad_input_is_one_clear_message(gandream, here: Path, name: str):
    text, options, words = MISTAKES[name]
    if text is not None:
        (here / "r.yaml").write_text(text)
    said = gandream("render", "r.yaml", *options)
    assert said.status == 2, said
    assert re.search(words, said.err), said.err
    assert "Traceback" not in said.err
    assert not list(here.glob("**/*.mp4"))


def test_usage_errors_end_with_2(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    assert gandream("render", "r.yaml", "--frames", "x").status == 2
    assert gandream("render", "r.yaml", "--device", "tpu").status == 2
    assert gandream("render").status == 2


@pytest.mark.skipif(os.name == "nt", reason="permissions work otherwise there")
def test_a_folder_that_cannot_be_written(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    (here / "file").write_text("not a folder")
    said = gandream("render", "r.yaml", "-o", "file/film.mp4")
    assert said.status == 2
    assert "can't write here" in said.err


def test_a_film_of_another_recipe_is_not_overwritten(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    (here / "other.yaml").write_text(GOOD + "walk: {through: [8, 9]}\n")
    assert gandream("render", "r.yaml", "-o", "film.mp4").status == 0
    before = (here / "film.mp4").read_bytes()
    said = gandream("render", "other.yaml", "-o", "film.mp4")
    assert said.status == 2
    assert "made from r.yaml" in said.err
    assert (here / "film.mp4").read_bytes() == before
    assert gandream("render", "other.yaml", "-o", "film.mp4", "--force").status == 0
    assert (here / "film.mp4").read_bytes() != before


def test_an_edited_recipe_replaces_its_own_film(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    gandream("render", "r.yaml")
    before = (here / "outputs/r.mp4").read_bytes()
    (here / "r.yaml").write_text(GOOD + "truncation: 0.3\n")
    assert gandream("render", "r.yaml").status == 0
    assert (here / "outputs/r.mp4").read_bytes() != before


def test_someone_elses_film_is_safe(gandream, here: Path):
    (here / "r.yaml").write_text(GOOD)
    (here / "holiday.mp4").write_bytes(b"precious")
    said = gandream("render", "r.yaml", "-o", "holiday.mp4")
    assert said.status == 2
    assert (here / "holiday.mp4").read_bytes() == b"precious"
