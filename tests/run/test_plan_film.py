"""Plans held against renders: what is there, what is said of time and size, and what can't fit."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from gandream.recipe.load import load_recipe
from gandream.rendering.room import Room
from gandream.run import needs as needs_module
from gandream.run.estimate import plan_film
from gandream.run.film import render
from gandream.run.needs import TooLargeError, bytes_of_frame, disk_needed, refuse_impossible, size
from gandream.run.outputs import outputs
from gandream.run.prepare import prepare

WORDS = {
    "model": "cppn#7",
    "walk": {"through": [1, 2, 3], "every": 5},
    "video": {"size": 64, "fps": 10, "duration": 12},
}


def recipe_file(folder: Path, **more: object):
    (folder / "r.yaml").write_text(json.dumps({**WORDS, **more}))
    return load_recipe("r.yaml")


def test_what_is_there_and_what_is_not(here: Path, gandream):
    recipe = recipe_file(here)
    render(recipe, "outputs/part.mp4", device="cpu", frames=(0, 40))
    found = plan_film(recipe, device="cpu", probe=False)
    (one,) = found.outputs
    assert (one.file, one.width, one.fps, one.codec) == (Path("outputs/r.mp4"), 64, "10", "h264")
    assert (one.frames, one.segments, one.there, one.missing, one.bytes) == (120, 6, 2, 80, None)
    assert (found.seconds, found.takes_s, found.probed_frames, found.needs.batch) == (12, None, 0, 8)
    film = render(recipe, device="cpu")
    assert film.rendered == one.missing
    after = plan_film(recipe, device="cpu")
    assert (after.outputs[0].missing, after.needs.disk, after.probed) == (0, 0, ())
    assert after.outputs[0].bytes is not None
    assert after.outputs[0].bytes.low == film.path.stat().st_size
    said = gandream("plan", "r.yaml", "--no-probe", "--json")
    assert json.loads(said.out)["outputs"][0]["segments_there"] == 6


def test_a_probe_keeps_nothing_and_tells_time_and_size(here: Path, gandream):
    recipe = recipe_file(here, video={**WORDS["video"], "file": "png"})
    found = plan_film(recipe, device="cpu")
    assert found.probed == (20, 80)
    assert not (here / "outputs/r").exists()
    assert not list((here / "outputs/.gandream/segments").glob("*.mp4"))
    assert found.takes_s is not None
    assert 0 < found.takes_s.low < found.takes_s.high
    render(recipe, device="cpu")
    whole = sum(path.stat().st_size for path in (here / "outputs/r").glob("*.png"))
    assert found.outputs[0].bytes is not None
    assert found.outputs[0].bytes.low < whole < found.outputs[0].bytes.high
    said = gandream("plan", "r.yaml", "--set", "video.size=48", "--set", "video.file=mp4", "--device", "cpu")
    assert said.status == 0, said.err
    assert "  segments  6, of which 0 are there\n" in said.out
    assert "Measured with" in said.out
    assert "48x48, 10 fps, h264" in said.out


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"file": "mov", "codec": "prores"}, {"codec": "h265"}])
def test_estimates_are_within_twice(here: Path, more):
    """Of a film that takes long enough for it to matter, in a process that isn't new."""
    recipe = recipe_file(here, video={"size": 256, "fps": 30, "duration": 20, **more})
    found = plan_film(recipe, device="cpu")
    began = time.perf_counter()
    film = render(recipe, device="cpu")
    took, length = time.perf_counter() - began, film.path.stat().st_size
    assert found.takes_s is not None
    assert found.outputs[0].bytes is not None
    assert found.takes_s.low / 2 < took < found.takes_s.high * 2
    assert found.outputs[0].bytes.low / 2 < length < found.outputs[0].bytes.high * 2


def made(folder: Path, **video: object):
    recipe = recipe_file(folder, video={**WORDS["video"], **video})
    found = outputs([folder / "outputs/r.mp4"], prepare(recipe, folder / "cache"), "cpu", None)
    parts = [{segment: range(segment.start, segment.stop) for segment in output.reel.segments} for output in found]
    return found, parts


def test_what_can_not_fit_is_refused_before_frame_0(here: Path, gandream):
    recipe_file(here, video={"size": 8192, "fps": 10, "duration": 300, "file": "exr"})
    said = gandream("render", "r.yaml", "--device", "cpu")
    assert said.status == 2
    where, problem, hint = said.err.splitlines()[-3:]
    assert where == "outputs/r"
    assert re.fullmatch(r"  this render takes about 1\.\d TB on the disk, and [\d. ]+ [GM]B are free", problem)
    assert hint == "  Make room, choose another place with -o, or take a higher video.crf or a smaller video.size."


@pytest.mark.parametrize(
    ("room", "words"),
    [
        (Room(10**8, 10**8), "rendering 64x64 takes about"),
        (Room(10**12, 10**8), None),
        (Room(10**12, 10**12), ""),
    ],
)
def test_memory(here: Path, monkeypatch: pytest.MonkeyPatch, room: Room, words):
    monkeypatch.setattr(needs_module, "room", lambda device: room)
    found, parts = made(here)
    told: list[str] = []
    if words:
        with pytest.raises(TooLargeError, match=words) as error:
            refuse_impossible(found, parts, told.append)
        assert error.value.exit_code == 2
    else:
        refuse_impossible(found, parts, told.append)
        assert [line.split(", and ")[1] for line in told] == ([] if words == "" else ["100 MB are free"])


def test_more_pixels_frames_and_quality_take_more(here: Path):
    def disk(**video: object) -> int:
        return disk_needed(*made(here, **video))

    least = disk()
    assert least < disk(duration=24)
    assert least < disk(size=128) < 4 * least, "larger pictures are smoother"
    assert least < disk(crf=0)
    assert disk(crf=30) < least
    assert disk(codec="h265") < least
    found, parts = made(here)
    assert disk_needed(found, [{}]) == pytest.approx(least / 2, rel=1e-3), "segments that are there take no more"
    assert bytes_of_frame(replace(found[0])) == bytes_of_frame(found[0])
    assert len(parts[0]) == 6


def test_sizes_in_words():
    assert [size(count) for count in (0, 1500, 2_340_000, 64_000_000, 1.5e9, 41e12)] == [
        *("1 kB", "2 kB", "2.3 MB", "64 MB", "1.5 GB", "41 TB")
    ]
