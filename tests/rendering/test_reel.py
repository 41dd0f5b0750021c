"""Films of scenes as planned and painted: segments, keys that know their scene alone, crossfades, models in turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.models.registry import load_generator
from gandream.recipe.load import load_recipe
from gandream.rendering.plan import make_plan
from gandream.rendering.projector import Projector, crossfaded
from gandream.rendering.reel import Reel
from gandream.rendering.segments import render_segments
from gandream.rendering.store import Store
from gandream.run.prepare import Prepared, prepare

FILM = "video: {size: 32x24, fps: 10}\ntempo: {bpm: 120}\nmodel: cppn#1\n"
THREE = "scenes: [{for: 3s}, {for: 3s, model: cppn#2}, {for: 3s, %s}]\n"


def prepared(folder: Path, text: str, head: str = FILM) -> Prepared:
    (folder / "r.yaml").write_text(head + text)
    return prepare(load_recipe(folder / "r.yaml"), folder / "cache")


def reel(folder: Path, text: str, **words) -> Reel:
    return prepared(folder, text, **words).reel("cpu")


def keys(made: Reel) -> list[tuple[int, int, str]]:
    return [(segment.start, segment.stop, segment.key) for segment in made.segments]


def pictures(made: Reel, load, start: int, stop: int) -> np.ndarray:
    return torch.cat(list(Projector(made, load).pictures(start, stop))).numpy()


# keys


@pytest.mark.parametrize("text", ["", "effects: [{trails: 0.8}]\nmix: {from: 5, layers: fine}", "layer: 2"])
def test_a_film_without_scenes_has_the_keys_that_it_always_had(tmp_path, text):
    made = prepared(tmp_path, text + "\nwalk: {through: [1, 2]}")
    score = made.score
    plan = make_plan(score.trajectory, made.fmt, "cpu", None, score.effects, "cover", made.layer)
    assert [(one.start, one.stop, one.key) for one in plan.segments] == keys(made.reel("cpu"))
    part = make_plan(score.trajectory, made.fmt, "cpu", (7, 33), score.effects, "cover", made.layer)
    assert [one.key for one in part.segments] == [one.key for one in made.reel("cpu", (7, 33)).segments]


def test_a_film_of_one_scene_is_the_film_without(tmp_path):
    walk = "walk: {through: [1, 2], every: 2s}\n"
    assert keys(reel(tmp_path, walk)) == keys(reel(tmp_path, walk + "scenes: [{for: 4s}]"))
    own = reel(tmp_path, "scenes: [{for: 4s, walk: {through: [1, 2], every: 2s}, effects: [fade]}]")
    assert keys(own) == keys(reel(tmp_path, walk + "effects: [fade]"))


def test_segments_meet_where_scenes_and_crossfades_do(tmp_path):
    made = reel(tmp_path, THREE % "transition: crossfade 1s")
    assert [(one.start, one.stop) for one in made.segments] == [
        (0, 20), (20, 30), (30, 40), (40, 60), (60, 70), (70, 80), (80, 90)
    ]  # fmt: skip
    assert [made.numbers(one.start, one.stop) for one in made.segments] == [[0], [0], [1], [1], [1, 2], [2], [2]]


@pytest.mark.parametrize(
    "change", ["truncation: 0.5", "model: cppn#3", "effects: [invert]", "transition: crossfade 2s"]
)
def test_an_edit_of_a_scene_leaves_those_before_it_alone(tmp_path, change):
    base = "walk: {through: [1, 2, 3], every: 2s}\neffects: [{trails: 0.9}]\n" + THREE
    before, after = (keys(reel(tmp_path, base % words)) for words in ("seed: 1", change))
    assert [one for one in before if one[1] <= 60] == [one for one in after if one[1] <= 60]
    assert not {one[2] for one in before if one[0] == 60} & {one[2] for one in after if one[0] == 60}


def test_an_edit_of_an_early_scene_leaves_those_behind_it_alone(tmp_path):
    text = "scenes: [{for: 3s, truncation: %s}, {for: 3s}, {for: 3s}]\ntransition: crossfade 1s"
    before, after = (keys(reel(tmp_path, text % psi)) for psi in (1, 0.5))
    assert [one[0] for one in set(before) - set(after)] != []
    assert {one[0] for one in set(before) ^ set(after)} == {0, 20, 30}, "the scene itself, and where it is faded over"


def test_the_pace_of_a_crossfade_is_in_the_key_of_its_segments_alone(tmp_path):
    text = "scenes: [{for: 3s}, {for: 3s, transition: {crossfade: 1s, ease: %s}}]"
    before, after = (keys(reel(tmp_path, text % ease)) for ease in ("linear", "smooth"))
    assert {one[0] for one in set(before) ^ set(after)} == {30}


# pictures


def parts(images: torch.Tensor, *lengths: int) -> Iterator[torch.Tensor]:
    yield from images.split(list(lengths))


def test_a_crossfade_is_a_mean_by_shares_of_what_is_displayed():
    torch.manual_seed(0)
    under, over = 1.5 * torch.randn(9, 3, 4, 5), 1.5 * torch.randn(9, 3, 4, 5)
    shares = np.linspace(0, 1, 9)
    found = torch.cat(list(crossfaded(parts(under, 4, 4, 1), parts(over, 3, 1, 5), shares)))
    share = torch.tensor(shares, dtype=torch.float64)[:, None, None, None]
    wanted = (1 - share) * under.clamp(-1, 1).double() + share * over.clamp(-1, 1).double()
    torch.testing.assert_close(found.double(), wanted, atol=1e-6, rtol=0)
    assert torch.equal(found[0], under[0].clamp(-1, 1))


def test_each_scene_is_painted_as_if_it_were_the_whole_film(tmp_path):
    """Cut to the frame: before it one model's pictures, after it the other's, in the crossfade both."""
    made = prepared(tmp_path, "scenes: [{for: 1.5s}, {for: 2s, model: cppn#2, transition: crossfade 0.5s}]")
    film = made.reel("cpu")
    alone = {}
    for model in ("cppn#1", "cppn#2"):
        head = FILM.replace("cppn#1", model).replace("fps: 10", "fps: 10, duration: 3.5s")
        one = prepared(tmp_path, "", head)
        alone[model] = (
            pictures(one.reel("cpu"), one.load("cpu"), 0, 20),
            pictures(one.reel("cpu"), one.load("cpu"), 20, 35),
        )
    first, second = (np.concatenate(alone[model]) for model in ("cppn#1", "cppn#2"))
    load = made.load("cpu")
    found = np.concatenate([pictures(film, load, one.start, one.stop) for one in film.segments])
    np.testing.assert_allclose(found[:15], first[:15], atol=2e-4)
    share = (np.arange(5) / 5)[:, None, None, None]
    np.testing.assert_allclose(found[15:20], (1 - share) * first[15:20] + share * second[15:20], atol=4e-4)
    np.testing.assert_allclose(found[20:], second[20:], atol=2e-4)


def test_a_segment_is_the_same_whatever_came_before(tmp_path):
    text = "effects: [{trails: 0.9}]\nscenes: [{for: 2.5s}, {for: 3s, model: cppn#2, transition: crossfade 1s}]"
    made = prepared(tmp_path, text)
    film, load = made.reel("cpu"), made.load("cpu")
    projector = Projector(film, load)
    through = [torch.cat(list(projector.pictures(one.start, one.stop))) for one in film.segments]
    assert len(film.segments) > 2
    for segment, images in reversed(list(zip(film.segments, through, strict=True))):
        assert torch.equal(torch.cat(list(Projector(film, load).pictures(segment.start, segment.stop))), images)


def test_the_memory_of_an_effect_begins_with_its_scene(tmp_path):
    text = "scenes: [{for: 2s}, {for: 2s, model: cppn#2}]\n"
    with_trails = prepared(tmp_path, text + "effects: [{trails: 0.95}]")
    plain = prepared(tmp_path, text)
    trailing, bare = (pictures(one.reel("cpu"), one.load("cpu"), 20, 40) for one in (with_trails, plain))
    np.testing.assert_allclose(trailing[0], bare[0].clip(-1, 1), atol=1e-6)
    assert np.abs(trailing[10] - bare[10]).max() > 0.05


# models


def test_each_model_is_loaded_once_and_only_those_in_sight_are_held(tmp_path):
    text = (
        "scenes: [{for: 1s}, {for: 1s, model: cppn#2}, {for: 1s}, {for: 1s, model: cppn#2}, {for: 1s, model: cppn#3}]"
    )
    made = prepared(tmp_path, text)
    loaded: list[int] = []
    load = made.load("cpu")

    def counted(number: int):
        loaded.append(number)
        return load(number)

    film, store = made.reel("cpu"), Store(tmp_path / "store")
    render_segments(film, film.segments, counted, store, lambda count: None)
    assert loaded == [0, 1, 4]
    assert all(store.find(segment.key) for segment in film.segments)
    projector = Projector(film, load)
    for segment in film.segments:
        list(projector.pictures(segment.start, segment.stop))
        assert len(projector._models) == 1


def test_a_conditional_model_beside_one_without_classes(tmp_path, stylegan2_file):
    file = stylegan2_file(classes=3)
    text = f"""\
scenes:
  - {{for: 1s}}
  - {{for: 1s, model: {file}, walk: {{through: [1, 2], every: 1s}}, classes: {{through: [0, 2], every: 1s}}}}
  - {{for: 1s, model: {{file: {file}, class: 1}}, walk: {{through: [1, 2], every: 1s}}}}
"""
    made = prepared(tmp_path, text)
    film, load = made.reel("cpu"), made.load("cpu")
    assert [shot.model for shot in film.shots] == [0, 1, 1], "a class makes no other model"
    assert pictures(film, load, 10, 20).shape == (10, 3, 24, 32)
    generator = load_generator(str(file), "cpu")
    w = made.cuts[2].trajectory.inputs(generator, 20, 21).w
    wanted = generator.map(generator.latents([1]), torch.tensor([1])).w
    torch.testing.assert_close(w, wanted, atol=1e-4, rtol=0)


def test_a_film_of_scenes_that_closes_has_no_seam(tmp_path):
    head = FILM.replace("fps: 10", "fps: 10, loop: true")
    text = "walk: {through: [1, 2], every: 2s}\ntransition: crossfade 1s\neffects: [{trails: 0.5}]\n"
    text += THREE % "seed: 1"
    made = prepared(tmp_path, text, head)
    film, load = made.reel("cpu"), made.load("cpu")
    assert [(shot.start, shot.stop, shot.later) for shot in film.shots] == [
        (0, 10, 90), (0, 40, 0), (30, 70, 0), (60, 90, 0)
    ]  # fmt: skip
    assert [film.numbers(one.start, one.stop) for one in film.segments[:2]] == [[0, 1], [1]]
    projector = Projector(film, load)
    through = [torch.cat(list(projector.pictures(one.start, one.stop))) for one in film.segments]
    for segment, images in reversed(list(zip(film.segments, through, strict=True))):  # each alone, to the same bits
        assert torch.equal(torch.cat(list(Projector(film, load).pictures(segment.start, segment.stop))), images)
    images = torch.cat([*through, through[0][:1]])
    steps = (images[1:] - images[:-1]).abs().mean(dim=(1, 2, 3))
    assert steps[-1] < 2 * steps.median()
    other = prepared(tmp_path, text.replace("seed: 1", "seed: 1, truncation: 0.5"), head).reel("cpu")
    changed = [one.start for one, two in zip(film.segments, other.segments, strict=True) if one.key != two.key]
    assert changed == [0, 60, 70, 80], "the last scene, where it comes in, and where it goes on under the first"
