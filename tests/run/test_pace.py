"""Even pace: the picture changes as much in every second, spans keep their times, and it is measured once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.recipe.load import recipe_from
from gandream.rendering.pace import LEVELS, distances, pyramid
from gandream.run.pace import FINEST, paced, rounded
from gandream.trajectory.compose import compose
from gandream.trajectory.pace import MOST, PER_STEP, Route

SPEC = describe("cppn#7")
HALVED = replace(SPEC, reducible=True)
WALK = {"through": [1, 2, 3, 4], "every": "1s", "pace": "perceptual"}


def recipe(walk, **words):
    return recipe_from({"model": "cppn#7", "walk": walk, "video": {"fps": 20, **words.pop("video", {})}, **words})


def score(walk, **words):
    return compose(recipe(walk, **words), SPEC)


def changing(phases: np.ndarray) -> np.ndarray:
    """Changes of a picture that moves by a known length: p + 0.8 sin(2 pi p) / (2 pi), the same in each step."""
    return np.diff(phases + 0.8 * np.sin(2 * np.pi * phases) / (2 * np.pi))


def test_an_even_pace_of_a_known_change():
    route = Route(np.linspace(0, 4, 4 * 64 + 1), 64, 4.0)
    even = route.table(changing(route.phases))
    assert (np.diff(even) > 0).all()
    np.testing.assert_array_equal(even[::64], [0, 1, 2, 3, 4])
    places = np.linspace(0, 8, 801)[:-1]
    warped = route.warped(places, even)
    steps = np.abs(changing(warped))
    assert steps.std() / steps.mean() < 0.05
    assert changing(places).std() / changing(places).mean() > 0.5
    np.testing.assert_allclose(warped[::100], places[::100], atol=1e-9)  # keyframes keep their times
    np.testing.assert_allclose(warped[400:], warped[:400] + 4)  # each lap is the same
    assert route.variation(changing(route.phases)) == pytest.approx(0.8 / 2**0.5, rel=0.01)


def test_throughout_latents_come_when_they_come():
    phases = np.linspace(0, 2, 129)
    changes = np.where(phases[:-1] < 1, 3.0, 1.0)
    within, throughout = Route(phases, 64), Route(phases, 128)
    np.testing.assert_allclose(within.warped(phases, within.table(changes)), phases, atol=1e-9)
    warped = throughout.warped(phases, throughout.table(changes))
    assert warped[96] == pytest.approx(1, abs=0.02), "three quarters of the change are over at the first latent"
    assert within.variation(changes) == pytest.approx(0, abs=1e-9)
    assert throughout.variation(changes) == pytest.approx(0.5)


def test_where_nothing_changes_the_pace_stays():
    route = Route(np.linspace(0, 2, 33), 16)
    changes = np.concatenate([np.zeros(16), np.ones(16)])
    np.testing.assert_allclose(route.table(changes), route.phases, atol=1e-12)
    assert route.variation(np.zeros(32)) == 0


def test_routes():
    laps = Route.of(score(WALK, video={"duration": 9}).trajectory, False)
    assert (laps.period, len(laps.phases), laps.per) == (4, 4 * PER_STEP + 1, PER_STEP)
    part = Route.of(score(WALK, video={"duration": 2}).trajectory, True)
    assert (part.period, part.phases[-1], part.per) == (None, 2, 2 * PER_STEP)
    ends = Route.of(score({**WALK, "loop": False}, video={"duration": 9}).trajectory, False)
    assert (ends.phases[0], ends.phases[-1]) == (0, 3)
    around = Route.of(score({"circle": {}, "pace": "perceptual"}, video={"duration": 90}).trajectory, False)
    assert (around.phases[0], around.phases[-1], around.period) == (0, 1, 1)
    wander = Route.of(
        score({"wander": {}, "pace": "perceptual"}, video={"duration": 9, "loop": True}).trajectory, False
    )
    assert wander.period == wander.phases[-1] == wander.phases[0] + wander.period
    longer = Route.of(score({"wander": {}, "pace": "perceptual"}, video={"duration": 900}).trajectory, False)
    assert longer.period is None
    assert len(longer.phases) == MOST + 1


def test_the_distance_by_hand():
    flat = torch.zeros(2, 3, 64, 64)
    flat[1] = 0.5
    assert distances(pyramid(flat)).tolist() == pytest.approx([0.5]), "what is flat is in the last level alone"
    checks = torch.zeros(2, 3, 64, 64)
    checks[1] = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1
    assert distances(pyramid(checks)).tolist() == pytest.approx([1.0]), "what is fine is in the first"
    picture = torch.rand(1, 3, 64, 64)
    bands = pyramid(picture)
    assert [band.shape[-1] for band in bands] == [64 >> level for level in range(LEVELS + 1)]
    whole = bands[-1]
    for band in reversed(bands[:-1]):
        whole = band + torch.nn.functional.interpolate(whole, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(whole, picture, atol=1e-6)


@pytest.mark.parametrize("walk", [WALK, {"wander": {}, "pace": "perceptual"}], ids=["through", "wander"])
def test_a_walk_is_measured_once_and_is_evener_then(tmp_path, monkeypatch, walk):
    from gandream.models.registry import load_generator
    from gandream.rendering.pace import changes_along

    one = recipe(walk, video={"duration": 4, "loop": True})
    written = compose(one, SPEC)
    made = paced(one, written, tmp_path / "pace")
    (told,) = made.warnings[len(written.warnings) :]
    assert told.startswith("walk.pace: the picture's change per frame varies by ")
    generator = load_generator("cppn#7", "cpu")
    before, after = (
        changes_along(of.trajectory, of.trajectory.track.places, generator, "cpu") for of in (written, made)
    )
    if walk is WALK:  # each second has its own amount of change
        before, after = (part[:76].reshape(4, 19) / part[:76].reshape(4, 19).mean(1, keepdims=True)
                         for part in (before, after))  # fmt: skip
    assert after.std() / after.mean() < 0.6 * before.std() / before.mean()
    assert made.trajectory.key(0, 40) != written.trajectory.key(0, 40)
    monkeypatch.setattr("gandream.run.pace._measured", lambda *_: pytest.fail("it is measured again"))
    again = paced(one, compose(one, SPEC), tmp_path / "pace")
    np.testing.assert_array_equal(again.trajectory.track.places, made.trajectory.track.places)
    assert again.warnings == made.warnings
    if walk is WALK:  # how fast it is travelled changes nothing along it
        faster = recipe({**walk, "speed": "1 + 0.5*sin(t)"}, video={"duration": 4, "loop": True})
        paced(faster, compose(faster, SPEC), tmp_path / "pace")


def test_a_damaged_measurement_is_made_again(tmp_path):
    one = recipe({"through": [1, 2], "every": "1s", "pace": "perceptual"}, video={"duration": 1})
    first = paced(one, compose(one, SPEC), tmp_path)
    (file,) = tmp_path.glob("*.json")
    for content in ("", "{}", '{"even": [1, 0], "before": 1, "after": 1}'):
        file.write_text(content)
        again = paced(one, compose(one, SPEC), tmp_path)
        np.testing.assert_array_equal(again.trajectory.track.places, first.trajectory.track.places)


def test_what_is_measured_belongs_to_a_device_and_a_precision(tmp_path, monkeypatch):
    """What a GPU measured isn't taken for a film on the CPU: its keys would depend on who came first."""
    described, used = recipe(WALK, video={"duration": 4}), list[str]()

    def measured(recipe, trajectory, route, device):
        used.append(device)
        return {"even": (route.phases + 0).tolist(), "before": 0.1, "after": 0.1}

    monkeypatch.setattr("gandream.run.pace._measured", measured)
    monkeypatch.setattr("gandream.rendering.device.cuda_devices", lambda: 1)
    monkeypatch.setattr("gandream.models.precision.multiplies_bfloat16", lambda: True)
    for device in ("cpu", "auto", "cuda"):
        paced(described, compose(described, HALVED), tmp_path, device)
    assert used == ["cpu", "cuda"]
    exact = recipe(WALK, model={"file": "cppn#7", "precision": "exact"}, video={"duration": 4})
    paced(exact, compose(exact, HALVED), tmp_path, "cpu")
    assert used == ["cpu", "cuda", "cpu"]
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_the_last_bits_of_a_machine_are_rounded_away():
    route = Route(np.linspace(0.25, 4.25, 4 * 16 + 1), 16)
    even = route.table(changing(route.phases))
    made = rounded(route, even)
    np.testing.assert_array_equal(made[::16], even[::16])
    assert np.abs(made - even).max() <= 0.5001 / 16 / FINEST
    assert (np.diff(made) > 0).all()
    noise = 1 + 1e-7 * np.random.RandomState(1).randn(64)
    other = rounded(route, route.table(changing(route.phases) * noise))
    assert (other == made).mean() > 0.98
    stands = np.r_[np.zeros(8), np.ones(56)]
    assert (np.diff(rounded(route, route.table(stands))) > 0).all(), "where nothing changes it still goes on"


def test_a_film_is_measured_where_it_is_rendered(here, monkeypatch):
    from gandream.run.film import render
    from gandream.run.still import still
    from gandream.run.trajectory import write_trajectory

    used: list[str] = []
    whole = paced.__globals__["_measured"]

    def measured(recipe, trajectory, route, device):
        used.append(device)
        return whole(recipe, trajectory, route, device)

    monkeypatch.setattr("gandream.run.pace._measured", measured)
    # Whoever asks for `auto` would be told of a GPU, which isn't here.
    monkeypatch.setattr("gandream.run.device.pick", lambda word: "cpu" if word == "cpu" else pytest.fail(word))
    one = recipe({"through": [1, 2], "every": "1s", "pace": "perceptual"}, video={"duration": 1, "size": 32})
    render(one, "a/film.mp4", device="cpu")
    still(one, "0.5s", "b/still.png", device="cpu")
    write_trajectory(one, "c/walk.npz", device="cpu")
    assert used == ["cpu"] * 3


@pytest.mark.parametrize(
    ("walk", "words", "problem"),
    [
        ({"through": [1, 2], "pace": "perceptal"}, {}, "wanted a pace: as written, perceptual"),
        ({"bounce": {}, "pace": "perceptual"}, {}, "`bounce` goes as it is written"),
        (WALK, {"grid": {"columns": 2}}, "only the walk of a film or of a scene"),
        ({"through": [1]}, {"mix": {"from": WALK}}, "only the walk of a film or of a scene"),
    ],
)
def test_mistakes(walk, words, problem):
    with pytest.raises(RecipeError) as caught:
        score(walk, **words)
    assert "pace" in caught.value.where
    assert problem in caught.value.problem


def test_without_a_pace_nothing_is_done(tmp_path):
    one = recipe({"through": [1, 2]}, video={"duration": 1})
    written = compose(one, SPEC)
    assert paced(one, written, tmp_path) is written
    assert Fraction(20) == written.trajectory.timeline.clock.fps


def test_each_scene_is_paced_over_what_it_shows(tmp_path):
    from gandream.run.prepare import prepare

    scenes = [
        {"for": "2s"},
        {"for": "2s", "walk": {**WALK, "through": [7, 8]}},
        {"for": "1s", "walk": {"through": [1]}},
    ]
    even, plain = (
        prepare(recipe({**WALK, "pace": pace}, scenes=scenes[:2] if pace == "as written" else scenes), tmp_path)
        for pace in ("perceptual", "as written")
    )
    told = [one for one in even.warnings if one.startswith("walk.pace, in the scene at ")]
    assert [one[27:35] for one in told] == ["0:00.000", "0:02.000"]
    first, second = (cut.trajectory.track.places for cut in even.cuts[:2])
    written = plain.cuts[0].trajectory.track.places
    np.testing.assert_allclose(first[::20], written[::20], atol=1e-9)  # latents come when they came
    assert np.abs(first - written).max() > 0.01
    np.testing.assert_allclose(second[::20], [0, 1], atol=1e-9)
