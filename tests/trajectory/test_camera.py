"""The word `camera`, laid out in time: its maps of the plane, keys, loops, warnings, mistakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.registry import describe
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

FILM = "video: {duration: 4s, fps: 10}\n"
FLAT = replace(describe("cppn#7"), transform=False, family="dcgan", name="faces", shown=())


@pytest.fixture
def score(written):
    return lambda text, spec=None: compose(written(FILM + text), spec or describe("cppn#7"))


@pytest.fixture
def camera(score):
    return lambda text, spec=None: score(f"camera: {text}", spec).trajectory.camera


def seen_at(moved, frame: int, q: tuple[float, float], aspect: float = 1.0, smaller: bool = False) -> np.ndarray:
    """Where what was at q is seen."""
    return (np.linalg.inv(moved.maps(frame, frame + 1, aspect, smaller)[0]) @ [*q, 1])[:2]


def test_each_word_moves_what_is_seen(camera):
    """Places are in half heights, x to the right, y down."""
    np.testing.assert_allclose(seen_at(camera("{zoom: 2}"), 0, (0.5, -0.25)), (1, -0.5))
    np.testing.assert_allclose(seen_at(camera("{rotate: 90}"), 0, (0, -1)), (1, 0), atol=1e-12)  # top to the right
    np.testing.assert_allclose(seen_at(camera("{pan: [0.25, 0.5]}"), 0, (0, 0), 2), (1, -1))
    np.testing.assert_allclose(seen_at(camera("{pan: 0.25}"), 0, (0, 0)), (0.5, 0))
    np.testing.assert_allclose(seen_at(camera("{shear: 0.5}"), 0, (0, -1)), (0.5, -1))
    np.testing.assert_allclose(seen_at(camera("{shear: 0.5}"), 0, (0, 1)), (-0.5, 1))


def test_the_picture_is_sheared_turned_enlarged_and_then_moved(camera):
    moved = camera("{zoom: 3, rotate: 30, shear: 0.2, pan: [0.1, -0.3]}")
    x, y = 0.7, -0.4
    x = x - 0.2 * y
    turn = np.radians(30)
    x, y = np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y
    wanted = (3 * x + 2 * 0.1 * 1.5, 3 * y + 2 * 0.3)
    np.testing.assert_allclose(seen_at(moved, 5, (0.7, -0.4), 1.5), wanted)


def test_nothing_is_nothing(camera, score):
    assert camera("{}") is None
    assert camera("{zoom: 1, rotate: 360, pan: 0, shear: 0, zoom_speed: 0, shake: 0}") is None
    plain, late = score(""), score("camera: {zoom: 'where(t < 2, 1, 2)'}")
    assert late.trajectory.key(0, 20) == plain.trajectory.key(0, 20)
    assert late.trajectory.key(0, 21) != plain.trajectory.key(0, 21)
    assert not late.trajectory.camera.busy(0, 20)


def test_everything_is_in_the_key(score):
    words = ["zoom: 2", "zoom: 3", "rotate: 30", "pan: [0.1, 0]", "pan: [0, 0.1]", "shear: 0.1", "zoom_speed: 1",
             "zoom_speed: 2", "shake: 0.1", "shake: {amount: 0.1, seed: 3}", "shake: {amount: 0.1, seed: 4}",
             "shake: {amount: 0.1, seed: 3, speed: 1}", "zoom: 2, by: picture"]  # fmt: skip
    keys = [score(f"camera: {{{one}}}").trajectory.key(3, 20) for one in words]
    assert len(set(keys)) == len(keys)


def test_an_infinite_zoom_has_no_seams_in_time(camera):
    """At the end of an octave the smaller picture is where the larger one begins again."""
    moved = camera("{zoom_speed: 0.4, rotate: 10}")
    np.testing.assert_allclose(moved.octaves[[0, 10, 39]], [0, 0.4, 1.56], atol=1e-9)
    assert moved.shares(0, 40).max() < 1
    assert (np.diff(moved.shares(0, 40)) < 0).sum() == 1
    for frame in (0, 7, 30):
        larger, smaller = (np.linalg.det(moved.maps(frame, frame + 1, 1, one)[0]) for one in (False, True))
        np.testing.assert_allclose(smaller, 4 * larger)
        np.testing.assert_allclose(larger, 4.0 ** -moved.shares(frame, frame + 1)[0])
    back = camera("{zoom_speed: -0.5}")
    np.testing.assert_allclose(back.shares(1, 2), 0.95)


def test_loops_close(written):
    text = "camera: {zoom_speed: 0.4, shake: {amount: 0.1, speed: 2}}\nvideo: {duration: 4s, fps: 10, loop: true}"
    moved = compose(written(text), describe("cppn#7")).trajectory.camera
    assert moved is not None
    np.testing.assert_allclose(2 * moved.octaves[-1] - moved.octaves[-2], 2, atol=1e-9)
    jolt = moved.jolt
    step = np.abs(np.diff(jolt, axis=0)).max()
    assert np.abs(jolt[0] - jolt[-1]).max() <= step * 1.5
    assert step < np.abs(jolt).max()


def test_a_shake_is_smooth_about_as_large_as_said_and_has_a_seed(written):
    def jolt(words):
        film = f"camera: {{shake: {words}}}\nvideo: {{duration: 60s, fps: 30}}"
        return compose(written(film), describe("cppn#7")).trajectory.camera.jolt

    one = jolt("{amount: 0.1, speed: 3, seed: 5}")
    assert 0.08 < np.abs(one).max() < 0.15
    assert 0.03 < one.std() < 0.07
    assert np.abs(np.corrcoef(one.T) - np.eye(3)).max() < 0.4
    turns = (np.diff(np.sign(np.diff(one[:, 0]))) != 0).sum()
    assert 60 < turns < 360, "about three a second"
    assert np.abs(np.diff(one, axis=0)).max() < 0.03
    np.testing.assert_array_equal(one, jolt("{amount: 0.1, speed: 3, seed: 5}"))
    assert np.abs(one - jolt("{amount: 0.1, speed: 3, seed: 6}")).max() > 0.05
    np.testing.assert_allclose(jolt("{amount: 0.2, seed: 5}"), 2 * one)


def test_what_a_model_cant_is_told(score):
    moved = score("camera: {rotate: 20}", FLAT)
    (warning,) = [one for one in moved.warnings if one.startswith("camera")]
    assert "faces can't be turned inside (dcgan)" in warning
    assert "the picture is turned" in warning
    assert moved.trajectory.camera is not None
    assert not moved.trajectory.camera.inside
    assert not [one for one in score("camera: {rotate: 20, by: picture}", FLAT).warnings if "camera" in one]
    inside = score("camera: {rotate: 20}")
    assert inside.trajectory.camera.inside
    assert not inside.warnings
    (anchor,) = score("camera: {anchor: mean}").warnings
    assert "changes nothing" in anchor
    assert score("camera: {anchor: mean}").trajectory.camera is None


def test_an_anchor_takes_the_mean_for_the_first_row_alone(written, stylegan2):
    generator = stylegan2()
    spec = replace(generator.spec, drifts=True)
    text = FILM + "walk: {through: [1, 2], every: 1s}\n"
    plain = compose(written(text), spec).trajectory
    anchored = compose(written(text + "camera: {anchor: mean}"), spec).trajectory
    assert plain.key(0, 5) != anchored.key(0, 5)
    before, after = (Feed(one, generator).inputs(3, 7).w for one in (plain, anchored))
    assert torch.equal(after[:, 1:], before[:, 1:])
    assert torch.equal(after[:, 0], generator.w_avg[:1].expand(4, -1))


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        ("{zoom: 0}", "0.01 to 1000"),
        ("{turn: 5}", "rotate"),
        ("{pan: [1, 2, 3]}", "[x, y]"),
        ("{pan: {x: 1}}", "keyframe"),
        ("{anchor: none}", "own"),
        ("{zoom_speed: 100}", "-20 to 20"),
        ("{shake: {amout: 1}}", "amout"),
        ("{shake: {amount: 0.1, sped: 1}}", "speed"),
        ("{rotate: kick}", "kick"),
        ("{pan: [0, kick]}", "camera.pan[1]"),
        ("spin", "wanted words"),
    ],
)
def test_mistakes(written, camera, says):
    with pytest.raises(RecipeError) as caught:
        written(f"camera: {camera}")
    assert says in str(caught.value)
