from dataclasses import replace

import numpy as np
import pytest
import torch

from gandream.models.registry import describe, load_generator
from gandream.trajectory.compose import compose
from gandream.trajectory.trajectory import Trajectory

SPEC = describe("cppn#7")
FILM = "walk: {through: [1, 2, 3], every: 2s}\nvideo: {duration: 6s, fps: 20}\n"
"""120 frames; the last tenth begins at frame 108, 5.4 s."""


@pytest.fixture(scope="module")
def generator():
    return load_generator("cppn#7", "cpu")


@pytest.fixture
def film(written):
    def make(text: str = "") -> Trajectory:
        return compose(written(FILM + text), SPEC).trajectory

    return make


def seeds(*numbers) -> torch.Tensor:
    return torch.as_tensor(SPEC.latents(numbers), dtype=torch.float32)


def close(tensor, expected, atol=1e-5):
    np.testing.assert_allclose(np.asarray(tensor), np.asarray(expected), atol=atol)


# what the generator is fed


def test_without_pushes_each_frame_is_the_mapped_walk(film, generator):
    trajectory = film()
    inputs = trajectory.inputs(generator, 0, 120)
    close(inputs.w[[0, 40, 80]], generator.map(seeds(1, 2, 3)).w)
    z = trajectory.latents(30, 31)
    assert z.dtype == np.float32
    close(inputs.w[30], generator.map(torch.as_tensor(z)).w[0])
    close(inputs.psi, np.ones(120))


def test_truncation_is_toward_the_centre_frame_by_frame(film, generator):
    plain, cut = (film(text).inputs(generator, 0, 120) for text in ("", "truncation: {0s: 1, 3s: 0, 6s: -1}"))
    psi = 1 - np.arange(120) / 60
    close(cut.psi, psi)
    expected = generator.w_avg + torch.as_tensor(psi, dtype=torch.float32)[:, None, None] * (plain.w - generator.w_avg)
    close(cut.w, expected)
    close(cut.w[60], generator.w_avg)


def test_a_push_in_z_toward_a_latent_arrives_before_mapping(film, generator):
    trajectory = film("push: {toward: 9, by: {0s: 0, 3s: 1}}")
    z = trajectory.latents(0, 120)
    close(z[0], seeds(1)[0])
    close(z[60:], np.tile(seeds(9), (60, 1)))
    close(trajectory.inputs(generator, 60, 61).w[0], generator.map(seeds(9)).w[0])


def test_a_push_in_z_along_a_direction_is_by_deviations(film):
    plain, pushed = film().latents(0, 120), film("push: {random: 9, by: 2*t}").latents(0, 120)
    close(pushed - plain, 2 * np.arange(120)[:, None] / 20 * seeds(9).numpy(), atol=1e-4)


def test_pushes_in_z_are_made_in_order(film):
    there, back = "{toward: 9, by: 1}", "{random: 4, by: 1}"
    close(film(f"push: [{there}, {back}]").latents(0, 1), seeds(9) + seeds(4))
    close(film(f"push: [{back}, {there}]").latents(0, 1), seeds(9))


def test_a_drift_folds_back_at_its_box(film):
    plain, pushed = (film(text).latents(0, 120) for text in ("", "push: {random: 9, by: 3, mode: drift, box: 0.5}"))
    offsets = pushed - plain
    assert np.abs(offsets).max() <= 0.5 + 1e-5
    assert np.abs(np.diff(offsets, axis=0)).max() <= 3 / 20 * np.abs(seeds(9).numpy()).max() + 1e-5
    assert not offsets[0].any()


def test_a_push_in_w_comes_after_truncation_and_is_not_scaled_by_it(film, generator):
    for psi in ("1", "0.5", "0"):
        cut = film(f"truncation: {psi}").inputs(generator, 0, 120).w
        pushed = film(f"truncation: {psi}\npush: {{random: 9, by: 0.5, space: w}}").inputs(generator, 0, 120).w
        close(pushed - cut, (0.5 * (generator.map(seeds(9)).w - generator.w_avg)).expand_as(cut))
        arrived = film(f"truncation: {psi}\npush: {{toward: 9, space: w}}").inputs(generator, 0, 120).w
        close(arrived, generator.map(seeds(9)).w.expand_as(arrived))


def test_a_push_in_z_is_scaled_by_truncation(film, generator):
    cut = film("truncation: 0\npush: {random: 9, by: 3}").inputs(generator, 0, 120).w
    close(cut, generator.w_avg.expand_as(cut))


def test_a_push_on_layers_leaves_the_others_as_they_are(film, generator):
    plain = film().inputs(generator, 0, 120).w
    pushed = film("push: {toward: 9, by: {0s: 0, 6s: 1}, layers: [middle, 8]}").inputs(generator, 0, 120).w
    assert torch.equal(pushed[:, [0, 1, 2, 6, 7]], plain[:, [0, 1, 2, 6, 7]])
    amounts = torch.linspace(0, 119 / 120, 120)[:, None, None]
    close(pushed[:, [3, 4, 5, 8]], (plain + amounts * (generator.map(seeds(9)).w - plain))[:, [3, 4, 5, 8]])


BUSY = """
truncation: 0.7 + 0.2*sin(t)
push:
  - {random: true, by: 0.4*noise(t), mode: drift, box: 0.3}
  - {toward: 9, by: "where(t > 4, 0.5, 0)", layers: coarse}
  - {random: 4, by: noise(t*3), space: w, mode: drift, box: 0.2}
"""


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (17, 60), (60, 120), (75, 90), (119, 120)])
def test_any_range_expands_alone_to_the_same_bits(film, generator, start, stop):
    trajectory = film(BUSY)
    whole, part = trajectory.inputs(generator, 0, 120), trajectory.inputs(generator, start, stop)
    assert torch.equal(part.w, whole.w[start:stop])
    assert torch.equal(part.psi, whole.psi[start:stop])
    np.testing.assert_array_equal(trajectory.latents(start, stop), trajectory.latents(0, 120)[start:stop])


# keys


def keys(trajectory: Trajectory, length: int = 12) -> list[str]:
    return [trajectory.key(start, start + length) for start in range(0, trajectory.frames, length)]


def changed(before: Trajectory, after: Trajectory) -> list[int]:
    """Which tenths of the film have another key."""
    return [tenth for tenth, (a, b) in enumerate(zip(keys(before), keys(after), strict=True)) if a != b]


def test_equal_recipes_have_equal_keys_and_each_tenth_its_own(film):
    assert keys(film(BUSY)) == keys(film(BUSY))
    assert len(set(keys(film(BUSY)))) == 10


@pytest.mark.parametrize(
    "edit",
    [
        "truncation: 0.9",
        "push: {random: 1, by: 0.1}",
        "push: {random: 2, by: 0.1}",
        "push: {toward: 1, by: 0.1}",
        "push: {random: 1, by: 0.2}",
        "push: {random: 1, by: 0.1, space: w}",
        "push: {toward: 1, by: 0.1, space: w}",
        "push: {random: 1, by: 0.1, layers: coarse}",
        "push: {random: 1, by: 0.1, layers: 0}",
        "push: {random: 1, by: 1, mode: drift, box: 0.1}",
        "push: {random: 1, by: 1, mode: drift, box: 0.2}",
        "push: {random: 1, by: 1, mode: drift, box: 0.1, space: w}",
        "push: {random: 1, by: 1, mode: drift, box: 0.2, space: w}",
        "push: {random: 1, by: 1, mode: drift, space: w}",
    ],
)
def test_whatever_shapes_the_frames_is_in_their_keys(film, edit):
    assert changed(film(), film(edit)) == list(range(10))


def test_no_two_of_many_films_share_a_key(film, written):
    edits = [
        "",
        "truncation: 0.9",
        *(
            f"push: {{{what}, by: {by}{more}}}"
            for what in ("random: 1", "random: 2", "toward: 1")
            for by in ("0.1", "0.2")
            for more in ("", ", space: w", ", layers: coarse", ", layers: 0", ", space: w, mode: drift")
        ),
        *(f"push: {{random: 1, mode: drift, box: {box}{more}}}" for box in (0.1, 0.2) for more in ("", ", space: w")),
    ]
    walks = [
        "walk: {through: [1, 2, 3], every: 1s}",
        "walk: {through: [1, 2, 4], every: 2s}",
        "walk: {through: [1, 2, 3], every: 2s, path: lerp}",
        "walk: {through: [1, 2, 3], every: 2s, ease: smooth}",
        "walk: {through: [1, 2, 3], every: 2s, speed: 1.1}",
        "walk: {through: [1, 2, 3], every: 2s, loop: false}",
    ]
    films = [film(edit) for edit in edits]
    films += [compose(written(f"{walk}\nvideo: {{duration: 6s, fps: 20}}"), SPEC).trajectory for walk in walks]
    films.append(replace(film(), spec=describe("cppn#8")))
    whole = [one.key(0, 120) for one in films]
    assert len(set(whole)) == len(films)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("truncation: {0s: 0.5, 5.4s: 1, 6s: 0.5}", "truncation: {0s: 0.5, 5.4s: 1, 6s: 0.9}"),
        ("truncation: 0.7", "truncation: '0.7 + where(t >= 5.4, 0.1, 0)'"),
        ("truncation: lag(where(t < 5.4, 0, 1), 1)", "truncation: lag(where(t < 5.4, 0, 2), 1)"),
        ("push: {random: 1, by: {5.4s: 0.2, 6s: 0}}", "push: {random: 1, by: {5.4s: 0.2, 6s: 1}}"),
        ("", "push: {random: 1, by: {5.4s: 0, 6s: 1}}"),
        ("", "push: {random: 1, by: {5.4s: 0, 6s: 1}, layers: coarse}"),
        ("", "push: {random: 1, by: {5.4s: 0, 6s: 1}, mode: drift, box: 0.3, space: w}"),
        (
            "push: {random: 1, mode: drift, by: {5.4s: 0.2, 6s: 0}, space: w}",
            "push: {random: 1, mode: drift, by: {5.4s: 0.2, 6s: 1}, space: w}",
        ),
    ],
)
def test_an_edit_of_the_last_tenth_leaves_the_keys_before_it_alone(film, before, after):
    assert changed(film(before), film(after)) == [9]


@pytest.mark.parametrize(
    ("before", "after", "tenths"),
    [
        ("{through: [1, 2, 3], every: 2s}", "{through: [1, 2, 4], every: 2s}", [3, 4, 5, 6, 7, 8, 9]),
        ("{through: [1, 2, 3, 4, 5], every: 1.5s}", "{through: [1, 2, 3, 4, 6], every: 1.5s}", [7, 8, 9]),
        ("{through: [1, 2, 3], every: 5.4s}", "{through: [1, 2, 4], every: 5.4s}", [9]),
        (
            "{through: [1, 2, 3], at: [0s, 5.4s, 6s], loop: false}",
            "{through: [1, 2, 4], at: [0s, 5.4s, 6s], loop: false}",
            [9],
        ),
        ("{through: [1, 2, 3], every: 2s}", "{through: [1, 2, 3], every: 2s, speed: {5.4s: 1, 6s: 3}}", [9]),
        (
            "{through: [1, 2, 3], every: 2s, speed: {0s: 0, 5.4s: 1, 6s: 1}}",
            "{through: [1, 2, 3], every: 2s, speed: {0s: 0, 5.4s: 1, 6s: -3}}",
            [9],
        ),
    ],
)
def test_an_edit_of_the_walk_changes_only_the_frames_near_it(written, before, after, tenths):
    one, two = (
        compose(written(f"walk: {walk}\nvideo: {{duration: 6s, fps: 20}}"), SPEC).trajectory for walk in (before, after)
    )
    assert changed(one, two) == tenths


def test_names_and_comments_are_in_no_key(written, music):
    text = "audio: {music}\nsignals: {{{name}: rms}}\nvars: {{{other}: 2}}\ntruncation: {other}*{name}\n{end}"
    one = compose(written(text.format(music=music, name="a", other="b", end="")), SPEC).trajectory
    two = compose(
        written(text.format(music=music, name="loud", other="much", end="title: A film # as it is")), SPEC
    ).trajectory
    assert keys(one, 60) == keys(two, 60)
