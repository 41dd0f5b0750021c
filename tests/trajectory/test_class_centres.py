"""Models whose classes have centres of w of their own: truncation, the mean and random pushes go by the class."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors.numpy
import torch

from gandream.models.registry import describe, load_generator
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed

FILM = "\nvideo: {duration: 6s, fps: 20}\n"
CLASSES = 4


@pytest.fixture(scope="module")
def generator(stylegan2_file):
    """A conditional StyleGAN2 16 x 16 with a centre for each class."""
    file = stylegan2_file(classes=CLASSES, z=10, w=12)
    tensors = safetensors.numpy.load_file(file)
    tensors["mapping.w_avg"] = np.random.RandomState(5).randn(CLASSES, 12).astype(np.float32)
    safetensors.numpy.save_file(tensors, file)
    assert describe(str(file)).class_centres
    return load_generator(str(file), "cpu")


@pytest.fixture
def film(written, generator):
    return lambda text: compose(written(text + FILM), generator.spec).trajectory


@pytest.fixture
def fed(film, generator):
    return lambda text: Feed(film(text), generator).inputs(0, 120).w


def mapped(generator, seed: int, class_: int) -> torch.Tensor:
    z = torch.as_tensor(generator.spec.latents([seed]), dtype=torch.float32)
    return generator.map(z, torch.tensor([class_])).w[0]


def close(made, wanted, atol=1e-5):
    made, wanted = np.asarray(made), np.asarray(wanted)
    np.testing.assert_allclose(made, np.broadcast_to(wanted, made.shape), atol=atol)


def middle(generator, class_: int) -> torch.Tensor:
    return generator.class_centres[class_].expand_as(generator.w_avg)


def test_mapping_truncates_toward_the_class(generator):
    centres = generator.class_centres
    assert centres.shape == (CLASSES, 12)
    close(generator.w_avg, centres.mean(dim=0))
    z, classes = generator.latents([1, 2, 3]), torch.tensor([3, 0, 3])
    full = generator.map(z, classes).w
    cut = generator.map(z, classes, torch.tensor([0.5, 0.0, -1.0]), cutoff=2).w
    for n, psi in enumerate((0.5, 0, -1)):
        own = centres[classes[n]]
        close(cut[n, :2], own + psi * (full[n, :2] - own))
    assert torch.equal(cut[:, 2:], full[:, 2:])
    weights = torch.tensor([[0.25, 0.0, 0.75, 0.0]])
    close(generator.map(z, weights, 0).w, (0.25 * centres[0] + 0.75 * centres[2]))


def test_a_walk_is_truncated_toward_its_class(fed, generator):
    for psi in (0.5, 0, -1, 1):
        w = fed(f"walk: {{through: [1, 2], every: 3s}}\nclasses: 2\ntruncation: {psi}")
        whole = fed("walk: {through: [1, 2], every: 3s}\nclasses: 2")
        close(w, middle(generator, 2) + psi * (whole - middle(generator, 2)))
    z = generator.latents([1])
    first = fed("walk: {through: [1, 2], every: 3s}\nclasses: 2\ntruncation: 0.3")[0]
    close(first, generator.map(z, torch.tensor([2]), 0.3).w[0])


@pytest.mark.parametrize("space", ["z", "w"])
def test_the_centre_goes_with_the_classes_of_a_walk(fed, generator, space):
    text = f"walk: {{through: [{{seed: 1, class: 0}}, {{seed: 2, class: 3}}], every: 3s, space: {space}}}"
    w = fed(f"{text}\ntruncation: 0")
    for frame, share in ((0, 0), (15, 0.25), (30, 0.5), (60, 1), (90, 0.5)):
        close(w[frame], middle(generator, 0) + share * (middle(generator, 3) - middle(generator, 0)))
    jumps = fed(text.replace("every: 3s", "every: 3s, path: step") + "\ntruncation: 0")
    close(jumps[59], middle(generator, 0))
    close(jumps[60], middle(generator, 3))


@pytest.mark.parametrize("space", ["z", "w"])
def test_the_centre_goes_with_a_morph(fed, film, generator, space):
    text = f"walk: {{through: [1, 2], every: 3s, space: {space}}}\nclasses: {{through: [1, 3], every: 2s}}"
    w, weights = fed(f"{text}\ntruncation: 0"), film(text).track.stops[0].class_.weights(0, 120)
    assert 0 < weights[:, 1].min() + weights[:, 1].max() <= 1
    close(w[:, 0], weights @ generator.class_centres.numpy())


def test_truncating_first_or_last_is_the_same_on_a_spline(fed, generator):
    text = "walk: {through: [{seed: 1, class: 0}, {seed: 2, class: 1}, {seed: 3, class: 2}, {seed: 4, class: 0}]"
    text += ", every: 1.5s, space: w, path: spline}"
    whole, still, half = (fed(f"{text}\ntruncation: {psi}") for psi in (1, 0, 0.5))
    close(half, (whole + still) / 2)
    close(still[[0, 30, 60, 90], 0], generator.class_centres[[0, 1, 2, 0]])
    bends = torch.diff(still, 2, dim=0).abs().amax(dim=(1, 2))
    sharp = torch.diff(fed(f"{text.replace('spline', 'lerp')}\ntruncation: 0"), 2, dim=0).abs().amax(dim=(1, 2))
    assert bends.max() < sharp.max() / 3


def test_the_mean_is_that_of_the_class(fed, generator):
    assert torch.equal(fed("walk: {through: mean}\nclasses: 3"), middle(generator, 3).expand(120, -1, -1))
    assert torch.equal(fed("walk: {through: mean}"), generator.w_avg.expand(120, -1, -1))
    for psi in ("0.3", "-1", "t"):
        w = fed(f"walk: {{through: mean}}\nclasses: 3\ntruncation: {psi}")
        close(w, middle(generator, 3))
    w = fed("walk: {through: [1, mean], every: 3s}\nclasses: 2\ntruncation: 0.5")
    close(w[0], (mapped(generator, 1, 2) + middle(generator, 2)) / 2)
    close(w[60], middle(generator, 2))
    moving = fed("walk: {through: mean}\nclasses: {through: [0, 1], every: 3s, ease: linear}\ntruncation: 0.4")
    close(moving[15], 0.75 * middle(generator, 0) + 0.25 * middle(generator, 1))


def test_between_and_the_mean(fed, generator):
    text = "walk: {through: [{between: [{seed: 4, class: 1}, mean], amount: 0.25}]}\nclasses: 2\n"
    close(fed(text), mapped(generator, 4, 1) + 0.25 * (middle(generator, 2) - mapped(generator, 4, 1)))
    close(fed(text + "truncation: 0"), 0.75 * middle(generator, 1) + 0.25 * middle(generator, 2))


def test_saved_w_is_truncated_toward_the_class_of_the_film(fed, generator, tmp_path):
    saved = np.random.RandomState(0).randn(*generator.w_avg.shape).astype(np.float32)
    np.save(tmp_path / "w.npy", saved)
    close(fed("walk: {through: w.npy}\ntruncation: 0.5"), (saved + generator.w_avg.numpy()) / 2)
    close(fed("walk: {through: w.npy}\nclasses: 1\ntruncation: 0.5"), (saved + middle(generator, 1).numpy()) / 2)
    text = "walk: {through: w.npy}\nclasses: {through: [0, 1], every: 3s}\ntruncation: "
    close(fed(text + "1"), saved)
    close(fed(text + "0")[60], middle(generator, 1))


def test_what_is_mixed_in_is_truncated_toward_the_walks_class(fed, generator):
    text = "walk: {through: 1}\nclasses: 2\nmix: {from: {seed: 9, class: 0}, amount: 0.5}\n"
    mixed = (mapped(generator, 1, 2) + mapped(generator, 9, 0)) / 2
    close(fed(text), mixed)
    close(fed(text + "truncation: 0.4"), middle(generator, 2) + 0.4 * (mixed - middle(generator, 2)))


def test_pushes_in_w(fed, generator):
    text = "walk: {through: 1, space: w}\nclasses: 2\npush: {%s, by: 0.5}"
    plain = mapped(generator, 1, 2)
    close(fed(text % "random: 9"), plain + 0.5 * (mapped(generator, 9, 0) - middle(generator, 0)))
    close(fed(text % "toward: mean"), (plain + middle(generator, 2)) / 2)


def test_any_range_is_the_same_bits(film, generator):
    trajectory = film(
        "walk: {through: [1, mean, {seed: 3, class: 3}], every: 2s, path: spline}\n"
        "classes: {through: [0, 2, 1], every: 1s}\ntruncation: 0.3\npush: {toward: mean, by: 0.2}"
    )
    whole = Feed(trajectory, generator).inputs(0, 120).w
    for start, stop in ((0, 1), (119, 120), (17, 60), (39, 100)):
        close(Feed(trajectory, generator).inputs(start, stop).w, whole[start:stop], 1e-6)


def test_keys_follow_the_class(film):
    text = "walk: {through: mean}\nclasses: %s\ntruncation: 0.5"
    assert film(text % 1).key(0, 60) != film(text % 2).key(0, 60)
    morph = film(text % "{through: [1, 2], every: 3s}")
    assert morph.key(0, 30) != film(text % 1).key(0, 30)
    assert morph.key(0, 30) == film(text % "{through: [1, 2], every: 3s}").key(0, 30)
