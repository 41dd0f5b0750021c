"""Whole renders: the film, its manifest, its store, and what happens when it is run again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.errors import OutputError
from gandream.base.hashing import file_fingerprint
from gandream.recipe.load import load_recipe
from gandream.run.film import Film, render

SMALL = "{size: 64, fps: 10, duration: 5, preset: ultrafast}"


def recipe_file(folder: Path, body: str = "", name: str = "small.yaml", video: str = SMALL) -> Path:
    path = folder / name
    path.write_text(f"model: cppn#7\n{body}\nvideo: {video}\n", encoding="utf-8")
    return path


def film(folder: Path, body: str = "", out: str | None = None, video: str = SMALL, **options) -> Film:
    return render(load_recipe(recipe_file(folder, body, video=video)), out, device="cpu", **options)


def pictures(path: Path) -> np.ndarray:
    """Decoded frames, uint8 [F, H, W, 3]."""
    raw = ffmpeg.run("-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, 64, 64, 3)


def test_a_film_has_its_frames_its_manifest_and_its_recipe(here: Path):
    made = film(here, "title: Nacht\nwalk: {through: [1, 2]}")
    assert made.path == Path("outputs/small.mp4")
    assert (made.frames, made.rendered) == (50, 50)
    assert len(pictures(made.path)) == 50
    manifest = json.loads(made.manifest.read_text())
    assert manifest["sha256"] == file_fingerprint(made.path)
    assert manifest["recipe"]["resolved"]["walk"]["through"] == [1, 2]
    assert manifest["recipe"]["file"] == "../small.yaml"
    assert manifest["model"]["family"] == "cppn"
    assert len(manifest["segments"]) == 3
    assert {"torch", "numpy", "ffmpeg"} <= manifest["versions"].keys()
    metadata = ffmpeg.run("-loglevel", "error", "-i", made.path, "-f", "ffmetadata", "-").decode()
    assert "title=Nacht" in metadata
    assert "through: [1, 2]" in metadata


def test_the_same_recipe_gives_the_same_bytes_anywhere(here: Path):
    (here / "a").mkdir()
    (here / "b").mkdir()
    first = film(here / "a", "push: {random: 3, by: sin(t)}", "a/x.mp4")
    second = film(here / "b", "push: {random: 3, by: sin(t)}", "b/x.mp4")
    assert second.rendered == 50, "the second has a store of its own"
    assert first.path.read_bytes() == second.path.read_bytes()


def test_nothing_changed_renders_nothing_and_loads_no_torch(here: Path):
    film(here)
    program = (
        "import sys, gandream.run.film as film; from gandream.recipe.load import load_recipe;"
        "made = film.render(load_recipe('small.yaml'));"
        "print(made.rendered, 'torch' in sys.modules, 'librosa' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["0", "False", "False"]


def test_a_lost_film_is_joined_again_from_its_segments(here: Path):
    first = film(here)
    before = first.path.read_bytes()
    first.path.unlink()
    again = film(here)
    assert again.rendered == 0
    assert again.path.read_bytes() == before


def test_an_edit_renders_only_what_it_changes(here: Path):
    film(here, "truncation: {0s: 1, 4.2s: 1, 5s: 0.5}")
    edited = film(here, "truncation: {0s: 1, 4.2s: 1, 5s: 0.2}")
    assert edited.rendered == 10, "only the last of three segments"


def test_a_new_title_renders_nothing(here: Path):
    film(here, "title: one")
    renamed = film(here, "title: two")
    assert renamed.rendered == 0
    assert "title=two" in ffmpeg.run("-loglevel", "error", "-i", renamed.path, "-f", "ffmetadata", "-").decode()


@pytest.mark.parametrize("kind", ["mp4", "gif"])
def test_a_title_is_one_line_of_text(here: Path, kind: str):
    """What ends a text, or would be a line of its own, can't be told to a program or a player."""
    title = '"Night\\0 of\\nthe \\x1b 🐈\u200d⬛"'
    made = film(
        here, f"title: {title}", f"outputs/t.{kind}", video=SMALL.replace("{", f"{{file: {kind}, "), frames=(0, 2)
    )
    assert "Night of the 🐈\u200d⬛".encode() in made.path.read_bytes()


@pytest.mark.parametrize("video", ["{size: 16, fps: 4, duration: 1}", "{size: 16, fps: 4, duration: 1, file: png}"])
def test_a_film_that_is_taken_over_says_whose_it_is(here: Path, video: str):
    first = render(load_recipe(recipe_file(here, video=video)), device="cpu")
    (here / "other.yaml").write_text((here / "small.yaml").read_text())
    other = load_recipe(here / "other.yaml")
    with pytest.raises(OutputError, match=r"made from \.\./small\.yaml"):
        render(other, first.path, device="cpu")
    taken = render(other, first.path, device="cpu", force=True)
    assert taken.rendered == 0
    assert json.loads(taken.manifest.read_text())["recipe"]["file"] == "../other.yaml"
    render(other, first.path, device="cpu")


def test_a_manifest_of_another_kind_is_nobodys(here: Path):
    recipe = load_recipe(recipe_file(here, video="{size: 16, fps: 4, duration: 1}"))
    Path("outputs").mkdir()
    Path("outputs/small.mp4").write_bytes(b"mine")
    Path("outputs/small.mp4.manifest.json").write_text('{"recipe": "mine"}')
    with pytest.raises(OutputError, match="not made by gandream"):
        render(recipe, device="cpu")


def test_a_damaged_segment_is_rendered_anew(here: Path):
    first = film(here)
    before = first.path.read_bytes()
    first.path.unlink()
    segment = sorted(Path("outputs/.gandream/segments").iterdir())[0]
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 255
    segment.write_bytes(data)
    again = film(here)
    assert again.rendered in (10, 20)
    assert again.path.read_bytes() == before


def test_a_range_of_frames_is_that_part_of_the_film(here: Path):
    lossless = "{size: 64, fps: 10, duration: 5, preset: ultrafast, crf: 0, subsampling: 444}"
    recipe = load_recipe(recipe_file(here, video=lossless))
    whole = render(recipe, device="cpu")
    part = render(recipe, device="cpu", frames=(13, 41))
    assert part.path == Path("outputs/small.13-41.mp4")
    assert np.array_equal(pictures(part.path), pictures(whole.path)[13:41])


def test_sound_of_a_range_begins_with_its_first_frame(here: Path, clicks: Path):
    recipe = load_recipe(recipe_file(here, f"audio: {clicks}"))
    part = render(recipe, device="cpu", frames=(12, 42))
    raw = ffmpeg.run("-loglevel", "error", "-i", part.path, "-f", "f32le", "-ac", "1", "-ar", "44100", "-")
    sound = np.abs(np.frombuffer(raw, np.float32))
    assert abs(len(sound) / 44_100 - 3.0) < 0.03
    loud = np.flatnonzero(sound > 0.3)
    assert abs(loud[0] / 44_100 - (1.5 - 1.2)) < 0.05, "the click at 1.5 s, 0.3 s after frame 12"


def test_odd_sizes_become_even_with_a_warning(here: Path):
    made = render(load_recipe(recipe_file(here, video="{size: 33x35, fps: 10, duration: 0.3}")), device="cpu")
    assert "34x36" in made.warnings[0]


def test_a_film_as_short_as_one_frame(here: Path, clicks: Path):
    made = render(
        load_recipe(recipe_file(here, f"audio: {clicks}", video="{size: 64, fps: 10, duration: 1ms}")), device="cpu"
    )
    assert made.frames == 1
    assert len(pictures(made.path)) == 1


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "7/3", "60"])
def test_frames_are_counted_exactly_at_any_rate(here: Path, rate: str):
    from fractions import Fraction

    video = f"{{size: 64, fps: {rate}, duration: 2.7, preset: ultrafast}}"
    made = render(load_recipe(recipe_file(here, video=video)), device="cpu")
    assert made.frames == int(Fraction(27, 10) * Fraction(rate) + Fraction(1, 2)) == len(pictures(made.path))


def test_music_decides_how_long_the_film_is(here: Path, clicks: Path):
    body = f"audio: {clicks}\nsignals: {{hit: {{from: onset, release: 0.1}}}}\npush: {{random: 1, by: hit}}"
    made = render(load_recipe(recipe_file(here, body, video="{size: 64, fps: 10, preset: ultrafast}")), device="cpu")
    assert made.frames == 60
    manifest = json.loads(made.manifest.read_text())
    assert manifest["audio"]["sha256"] == file_fingerprint(clicks)


def test_a_file_that_only_libsndfile_reads_is_heard(here: Path, clicks: Path):
    import soundfile

    sound, rate = soundfile.read(clicks)
    soundfile.write(here / "clicks.mat5", sound, rate, format="MAT5", subtype="PCM_16")
    made = render(load_recipe(recipe_file(here, "audio: clicks.mat5", video="{size: 64, fps: 10}")), device="cpu")
    raw = ffmpeg.run("-loglevel", "error", "-i", made.path, "-f", "f32le", "-ac", "1", "-ar", "44100", "-")
    loud = np.flatnonzero(np.abs(np.frombuffer(raw, np.float32)) > 0.3)
    assert abs(loud[0] / 44_100 - 0.5) < 0.01, "the first click"
