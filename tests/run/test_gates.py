"""Quality gates on films that were rendered: what is wrong is told with its cause, and what is meant isn't."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from gandream.recipe.load import load_recipe
from gandream.rendering.store import Store
from gandream.run import manifest
from gandream.run.film import Film, render
from gandream.run.flaws import Flaw, as_json, from_json
from gandream.video.quality.beside import OURS

WALK = "walk: {through: [1, 2, 3], every: 2}"


def film(folder: Path, body: str, video: str = "duration: 6", out: str | None = None) -> Film:
    rate = "" if "fps" in video else "fps: 10, "
    words = f"model: cppn#7\n{body}\nvideo: {{size: 64, {rate}preset: ultrafast, {video}}}\n"
    (folder / "r.yaml").write_text(words, encoding="utf-8")
    return render(load_recipe(folder / "r.yaml"), out, device="cpu")


def said(made: Film) -> list[str]:
    return [flaw.said for flaw in made.flaws]


def test_a_good_film_has_none_and_says_so(here: Path):
    made = film(here, WALK)
    assert made.flaws == ()
    assert json.loads(made.manifest.read_text())["quality"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            f"{WALK}\neffects: {{brightness: {{0s: 1, 1.9s: 1, 2s: 0, 4s: 0, 4.1s: 1}}}}",
            ["0:02 to 0:04.1 is black: effects.brightness is 0 there"],
        ),
        (
            f"{WALK}\neffects: [grain, {{brightness: {{0s: 1, 1s: 16, 5s: 16, 6s: 1}}}}]",
            ["is burnt out:", "effects[1].brightness is "],
        ),
        (
            f"{WALK}\ntruncation: {{0s: 1, 1s: 0, 4s: 0, 5s: 1}}",
            ["0:01 to 0:04.1 stands still: truncation is 0 there, so every latent becomes the mean"],
        ),
        (
            "walk: {through: [1, 2, 3], every: 2, speed: 't < 2'}",
            ["0:02 to 0:06 stands still: nothing in the recipe moves there (walk.speed is 0)"],
        ),
        (
            "walk: {through: [1, 2], every: 30}\neffects: {brightness: 1 + 0.15*(frame % 2)}",
            ["0:00 to 0:06 flickers from frame to frame: it follows effects.brightness"],
        ),
        (
            f"{WALK}\neffects: {{flash: 0.8*(frame % 2)}}",
            ["flashes 5 times in a second, which may harm viewers with photosensitive epilepsy", "effects.flash"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_cause(here: Path, body: str, words: list[str]):
    found = said(film(here, body))
    assert len(found) == 1, found
    assert all(word in found[0] for word in words), found


@pytest.mark.parametrize(
    "body",
    [
        "walk: {through: [1, 2], every: 1, loop: false}",
        f"{WALK}\neffects: {{fade: {{0s: 1, 2.5s: 1, 3s: 0}}, colour: white}}",
        "walk: {through: [1, 2], every: 60, ease: smooth}",
        *(
            pytest.param(body, marks=pytest.mark.slow)
            for body in (
                "walk: {through: [1, 2, 3], every: 3, path: step}",
                "walk: {through: 7}",
                f"{WALK}\neffects: fade",
                f"{WALK}\neffects: {{fade: {{0s: 1, 2s: 1, 2.1s: 0}}}}",
            )
        ),
    ],
)
def test_what_the_recipe_says_is_no_flaw(here: Path, body: str):
    assert said(film(here, body)) == []


def test_black_that_was_meant_is_told_where_it_is_long(here: Path):
    found = said(film(here, f"{WALK}\neffects: {{fade: {{0s: 0, 0.5s: 1, 5.5s: 1, 6s: 0}}}}"))
    assert found == ["0:00.5 to 0:05.6 is black: effects.fade is 1 there"]


def test_a_loop_that_does_not_close_has_a_seam(here: Path):
    body = f"tempo: {{bpm: 60}}\n{WALK}\ncamera: {{zoom: {{0s: 1, 100%: 3}}}}"
    found = said(film(here, body, "duration: 6, loop: true"))
    assert len(found) == 1
    assert "the loop has a seam" in found[0]
    assert "camera.zoom" in found[0]
    assert said(film(here, WALK, "duration: 6, loop: true")) == []


def test_scenes_have_their_own_causes(here: Path):
    scenes = "scenes: [{walk: {through: [1, 2]}}, {at: 3s, walk: {through: [3, 4]}, effects: {brightness: 0}}]"
    (found,) = said(film(here, scenes))
    assert found == "0:03 to 0:06 is black: scenes[1].effects.brightness is 0 there"


@pytest.mark.parametrize(
    "kind", ["gif", "png", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("webp", "jpg", "exr"))]
)
def test_animations_and_pictures_are_judged_too(here: Path, kind: str):
    made = film(
        here, f"{WALK}\neffects: {{brightness: {{0s: 1, 1s: 1, 1.1s: 0, 3s: 0}}}}", f"duration: 3, file: {kind}"
    )
    assert said(made) == ["0:01.1 to 0:03 is black: effects.brightness is 0 there"]


def test_pictures_that_are_there_keep_what_was_seen_in_them(here: Path):
    body = f"{WALK}\neffects: {{brightness: {{0s: 1, 1s: 1, 1.1s: 0, 3s: 0}}}}"
    made = film(here, body, "duration: 3, file: png")
    (made.path / "000012.png").unlink()
    again = film(here, body, "duration: 3, file: png")
    assert again.rendered
    assert again.flaws == made.flaws


def test_times_are_the_whole_films(here: Path):
    (here / "r.yaml").write_text(
        f"model: cppn#7\n{WALK}\neffects: {{brightness: {{0s: 1, 3.9s: 1, 4s: 0}}}}\n"
        "video: {size: 64, fps: 10, preset: ultrafast, duration: 6}\n"
    )
    made = render(load_recipe(here / "r.yaml"), device="cpu", frames=(30, 50))
    (flaw,) = made.flaws
    assert (flaw.kind, flaw.first_frame, flaw.stop_frame, flaw.from_s) == ("black", 40, 50, 4.0)


def test_a_render_of_what_is_there_tells_it_again(here: Path):
    body = f"{WALK}\neffects: {{brightness: {{0s: 0, 2s: 0, 2.1s: 1}}}}"
    first = film(here, body)
    again = film(here, body)
    assert again.rendered == 0
    assert again.flaws == first.flaws != ()
    told = json.loads(first.manifest.read_text())
    del told["quality"]  # as of a film from before there were gates
    first.manifest.write_text(json.dumps(told))
    assert manifest.flaws_of(first.path) is None
    assert film(here, body).flaws == first.flaws
    assert json.loads(first.manifest.read_text()) == {**told, "quality": as_json(first.flaws)}, (
        "once, and all else stays"
    )


def _stripped(path: Path) -> None:
    """Make a segment one from before there were statistics in them."""
    data = path.read_bytes()
    length, mark = struct.unpack(">I16s", data[-20:])
    assert mark == OURS
    path.write_bytes(data[:-length])


def test_a_film_from_before_the_gates_is_looked_at_once(here: Path):
    body = f"{WALK}\neffects: {{brightness: {{0s: 0, 2s: 0, 2.1s: 1}}}}"
    first = film(here, body)
    told = json.loads(first.manifest.read_text())
    del told["quality"]
    first.manifest.write_text(json.dumps(told))
    segments = sorted((here / "outputs/.gandream/segments").iterdir())
    for segment in segments:
        _stripped(segment)
    assert film(here, body).flaws == first.flaws != ()
    for segment in segments:
        segment.write_bytes(b"nothing can decode this")
    assert film(here, body).flaws == first.flaws, "nobody looks at the segments again"


def test_segments_that_can_not_be_decoded_break_no_render(here: Path):
    first = film(here, WALK)
    told = json.loads(first.manifest.read_text())
    del told["quality"]
    first.manifest.write_text(json.dumps(told))
    for segment in (here / "outputs/.gandream/segments").iterdir():
        segment.write_bytes(b"nothing can decode this")
    notes: list[str] = []
    again = render(load_recipe(here / "r.yaml"), device="cpu", note=notes.append)
    assert (again.rendered, again.flaws) == (0, ())
    (note,) = notes
    assert "r.mp4 was not looked at for flaws: " in note
    assert json.loads(first.manifest.read_text()) == told, "that nothing was found isn't said"


def test_a_film_whose_segments_are_gone_is_not_called_good(here: Path):
    first = film(here, WALK)
    told = json.loads(first.manifest.read_text())
    del told["quality"]
    first.manifest.write_text(json.dumps(told))
    for segment in (here / "outputs/.gandream/segments").iterdir():
        segment.unlink()
    assert film(here, WALK).flaws == ()
    assert json.loads(first.manifest.read_text()) == told


def test_statistics_go_with_their_segments(here: Path):
    made = film(here, WALK)
    keys = json.loads(made.manifest.read_text())["segments"]
    store = Store(here / "outputs/.gandream")
    found = store.looks(keys)
    assert found is not None
    assert found.frames == made.frames
    assert not [path for path in store.segments.iterdir() if path.suffix != ".mp4"], "nothing lies beside them"
    next(store.segments.glob(f"{keys[0]}-*")).unlink()
    assert store.looks(keys) is None


def test_what_a_manifest_says_is_read_with_care():
    flaw = Flaw("black", 1, 2, 0.1, 0.2, "it is black")
    assert from_json(as_json([flaw])) == (flaw,)
    assert from_json([{"kind": "black"}, 7, None]) == from_json("x") == from_json(None) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["mp4, fps: 23.976", "mkv, fps: 29.97", "webm, fps: 50", "mov, codec: prores, fps: 25"]
)
def test_finished_films_are_in_time(here: Path, clicks: Path, kind: str):
    made = film(here, f"audio: {clicks}\n{WALK}", f"duration: 2, file: {kind}")
    assert said(made) == []
