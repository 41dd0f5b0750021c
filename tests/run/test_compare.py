"""Comparisons: each variant is seen in its place as it is alone, with the first one's sound, and rendered once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.recipe.load import load_recipe
from gandream.run.compare import Compared, compare, facts
from gandream.run.compare_page import inside, layout
from gandream.run.film import render
from gandream.run.preview import Part
from gandream.run.variants import Variants, variants_of

RECIPE = """\
model: cppn#7
walk: {through: [1, 2, 3], every: 1}
truncation: 0.5
video: {size: 64, fps: 15, duration: 2}
"""


def table(*varied: str, files: tuple[str, ...] = ("r.yaml",)) -> Variants:
    return variants_of([Path(file) for file in files], varied)


@pytest.fixture
def recipe(here: Path) -> Path:
    (here / "r.yaml").write_text(RECIPE)
    return here


def frames(file: Path, width: int, height: int, size: str = "") -> np.ndarray:
    """Grey pictures of a film, [F, H, W], at another size if wanted."""
    scaled = ["-vf", f"scale={size}:flags=bicubic+accurate_rnd"] if size else []
    raw = ffmpeg.run("-loglevel", "error", "-i", file, *scaled, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(int)


def sound(file: Path) -> bytes:
    return ffmpeg.run("-loglevel", "error", "-i", file, "-vn", "-f", "s16le", "-")


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / max(((one - other) ** 2).mean(), 1e-9)))


def seen(made: Compared, number: int) -> np.ndarray:
    place = made.layout.cells[number]
    whole = frames(made.path, made.layout.width, made.layout.height)
    return whole[:, place.y : place.y + place.h, place.x : place.x + place.w]


@pytest.mark.slow
def test_each_variant_is_seen_as_it_is_alone(recipe):
    made = compare(table("truncation=0.2,0.9", "model=cppn#7,cppn#9"), device="cpu")
    assert made.path == Path("outputs/r_compare.mp4")
    assert (made.frames, made.rendered) == (10, 40)
    place = made.layout.cells[0]
    for number, words in ((1, (0.2, 9)), (2, (0.9, 7))):
        said = [f"truncation={words[0]}", f"model=cppn#{words[1]}"]
        alone = render(load_recipe("r.yaml", said), "alone.mp4", device="cpu", draft=True, force=True)
        shown = frames(alone.path, place.w, place.h, f"{place.w}:{place.h}")
        assert shown.shape == (10, place.h, place.w)
        own = psnr(seen(made, number), shown)
        others = [psnr(seen(made, other), shown) for other in range(4) if other != number]
        assert own > 36 > max(others) + 8


def test_what_was_rendered_is_not_rendered_again(recipe, gandream):
    folder = ["-o", "outputs/all.mp4", "--device", "cpu"]
    first = compare(table("truncation=0.2,0.9"), "outputs/all.mp4", device="cpu")
    again = compare(table("truncation=0.2,0.9"), "outputs/all.mp4", device="cpu")
    assert (first.rendered, again.rendered) == (20, 0)
    assert first.path.stat().st_mtime_ns == again.path.stat().st_mtime_ns
    one_more = compare(table("truncation=0.2,0.9,0.5"), "outputs/all.mp4", device="cpu")
    assert one_more.rendered == 10, "only the new one"
    # The one that is chosen is there too.
    chosen = render(load_recipe("r.yaml", ["truncation=0.9"]), "outputs/x.mp4", device="cpu", draft=True)
    assert chosen.rendered == 0
    whole = json.loads(gandream("compare", "r.yaml", "--vary", "truncation=0.2,0.9", "--full", "--json", *folder).out)
    assert whole["rendered"] == 60
    assert render(load_recipe("r.yaml", ["truncation=0.2"]), "outputs/y.mp4", device="cpu").rendered == 0
    keys = json.loads(Path("outputs/all.mp4.manifest.json").read_text())["segments"]
    assert len(set(keys)) == 2


@pytest.mark.slow
def test_a_part_has_its_part_of_the_sound(recipe, clicks):
    Path("r.yaml").write_text(f"audio: {clicks}\n{RECIPE}")
    made = compare(table("truncation=0.2,0.9"), part=Part("0.6s", "0.8s"), device="cpu")
    alone = render(load_recipe("r.yaml"), "alone.mp4", device="cpu", draft=True, frames=(9, 21))
    assert (made.frames, alone.frames) == (4, 4)
    assert sound(made.path) == sound(alone.path)
    assert len(sound(made.path)) == round(0.8 * 44_100) * 4


@pytest.mark.slow
def test_recipes_of_other_sizes_rates_and_lengths(recipe):
    Path("other.yaml").write_text(
        "model: cppn#9\nwalk: {through: [4, 5], every: 1}\nvideo: {size: 96x48, fps: 30, duration: 1}\n"
    )
    made = compare(table(files=("r.yaml", "other.yaml")), device="cpu")
    assert made.path == Path("outputs/r_other_compare.mp4")
    assert made.frames == 10
    assert made.warnings == ("other ends at 1.00 s and stays there",)
    shown = seen(made, 1)
    assert psnr(shown[5], shown[9]) > 40
    assert psnr(shown[0], shown[4]) < 40
    room = made.layout.cells[1]
    place = inside(room, (48, 24))
    assert (place.w, place.h, place.x) == (room.w, room.w // 2, room.x)
    assert shown[:, 2 : (room.h - place.h) // 2 - 2].max() < 24, "black above it"
    alone = render(load_recipe("other.yaml"), "alone.mp4", device="cpu", draft=True)
    own = frames(alone.path, place.w, place.h, f"{place.w}:{place.h}")
    top = place.y - room.y
    assert psnr(shown[:5, top : top + place.h], own[::2]) > 32, "of 10 frames a second, every second one"


def test_words_that_change_nothing_are_told(recipe):
    made = compare(table("seed=1,2"), part=Part("0", "0.3s"), device="cpu")
    assert made.warnings == ("seed changes nothing in these films",)
    assert (made.frames, made.rendered) == (2, 2), "and the same is rendered once"


def test_facts_say_where_each_is(recipe):
    made = compare(table("truncation=0.2,0.9"), device="cpu")
    found = facts(made)
    assert json.loads(json.dumps(found)) == found
    assert [cell["label"] for cell in found["cells"]] == ["truncation 0.2", "truncation 0.9"]
    assert found["cells"][1]["set"] == ["truncation=0.9"]
    assert (found["frames"], found["width"] % 2, found["height"] % 2) == (10, 0, 0)


@pytest.mark.parametrize("size", [(256, 256), (960, 540), (540, 960), (64, 40), (4096, 2048)])
@pytest.mark.parametrize(
    "varied", [("seed=1,2",), ("seed=1,2,3,4,5,6,7",), ("seed=1,2,3", "truncation=0.1,0.2,0.3,0.4")]
)
def test_films_are_no_larger_than_asked(recipe, size, varied):
    made = layout(table(*varied), size, (1920, 1080))
    assert made.width <= 1920
    assert made.height <= 1080
    for number, place in enumerate(made.cells):
        assert not any(side % 2 for side in (place.x, place.y, place.w, place.h))
        assert place.x + place.w <= made.width
        assert place.y + place.h <= made.height
        assert abs(place.w / place.h / (size[0] / size[1]) - 1) < 0.05
        for other in made.cells[:number]:
            apart = place.x >= other.x + other.w or place.y >= other.y + other.h
            assert apart, "variants don't overlap"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("r.yaml",), "nothing to compare"),
        (("r.yaml", "--vary", "sed=1,2"), "Did you mean 'seed'?"),
        (("r.yaml", "--vary", "seed=1,2", "--at", "1:00"), "the film goes from 0"),
        (("r.yaml", "--vary", "seed=1,2", "--for", "0s"), "more than nothing"),
        (("r.yaml", "--vary", "seed=1,2", "-o", "x.gif"), "a comparison is an mp4, mov or mkv"),
        (("r.yaml", "--vary", "seed=1,2", "--size", "10x10"), "is no size"),
        (("r.yaml", "--vary", f"seed={','.join(map(str, range(60)))}", "--size", "200x100"), "have no room"),
        (("r.yaml", "--vary", "video.duration=2,0.5", "--at", "1s"), "has ended by then"),
        (("r.yaml", "--vary", "model=cppn#7,gone.pkl"), "no such file"),
        (("gone.yaml", "--vary", "seed=1,2"), "no such file"),
        (("r.yaml", "--vary", "seed=1,2", "-o", "mine.mp4"), "--force"),
    ],
)
def test_bad_input(recipe, gandream, arguments, words):
    Path("mine.mp4").write_bytes(b"mine")
    said = gandream("compare", *arguments)
    assert said.status == 2
    assert words in " ".join(said.err.split()).replace("│ ", "")
    assert "Traceback" not in said.err
    assert Path("mine.mp4").read_bytes() == b"mine"
    assert said.out == ""


def test_a_film_that_is_no_comparison_stays(recipe):
    render(load_recipe("r.yaml"), "outputs/other.mp4", device="cpu")
    Path("s.yaml").write_text(RECIPE)
    with pytest.raises(GandreamError, match="made from"):
        compare(table("seed=1,2", files=("s.yaml",)), "outputs/other.mp4", device="cpu")
