"""Truncation with a cutoff and toward other centres: in layers, in keys, and in what is mapped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.files import write_native
from gandream.models.registry import load_generator
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import MEASURED, Feed

FILM = "\nvideo: {duration: 4s, fps: 10}\n"
WALK = "walk: {through: [1, 2], every: 2s}\n"


@pytest.fixture(scope="module")
def generator(stylegan2_file):
    return load_generator(str(stylegan2_file(z=10, w=12)), "cpu")


@pytest.fixture(scope="module")
def conditional(stylegan2_file):
    return load_generator(str(stylegan2_file(classes=4, z=10, w=12)), "cpu")


@pytest.fixture(scope="module")
def biggan(tmp_path_factory):
    from gandream.training.networks.base import Stage
    from gandream.training.networks.biggan_deep import BigGANDeepConfig, BigGANDeepGenerator

    torch.manual_seed(0)
    sizes = {"latent_size": 6, "embed_size": 4, "width": 8, "attention": 0, "multipliers": (2, 1)}
    tensors, configuration = BigGANDeepGenerator(BigGANDeepConfig(8, classes=3, **sizes)).export(Stage(8))
    file = tmp_path_factory.mktemp("model") / "own.safetensors"
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_native(
        file, arrays, family="biggan_deep", name="own", licence="", classes=("a", "b", "c"), size=(8, 8),
        configuration=configuration,
    )  # fmt: skip
    return load_generator(str(file), "cpu")


@pytest.fixture
def film(written):
    return lambda text, spec: compose(written(text + FILM), spec).trajectory


@pytest.fixture
def fed(film, generator):
    def make(truncation: str, walk: str = WALK, net=generator) -> torch.Tensor:
        return Feed(film(f"{walk}truncation: {truncation}", net.spec), net).inputs(0, 40).w

    return make


def mapped(net, seed: int, class_: int | None = None) -> torch.Tensor:
    return net.map(net.latents([seed]), None if class_ is None else torch.tensor([class_])).w[0]


# cutoff


@pytest.mark.parametrize("cutoff", [0, 1, 3, 5])
def test_a_cutoff_is_that_of_the_mapping_network(film, generator, cutoff):
    made = film(f"{WALK}truncation: {{psi: 0.3, cutoff: {cutoff}}}", generator.spec)
    z = torch.as_tensor(made.latents(0, 40))
    expected = generator.map(z, psi=0.3, cutoff=cutoff).w
    torch.testing.assert_close(Feed(made, generator).inputs(0, 40).w, expected)


def test_a_cutoff_and_layers_and_curves(film, generator):
    L = len(generator.spec.layers)
    psi = film(f"{WALK}truncation: {{psi: 0.1*t, cutoff: 2}}", generator.spec).psi
    np.testing.assert_allclose(psi[:, :2], np.tile(np.arange(40)[:, None] / 100, 2))
    np.testing.assert_array_equal(psi[:, 2:], np.ones((40, L - 2)))
    for one, other in (
        ("{psi: 0.1*t, layers: 0-1, toward: mean}", "{psi: 0.1*t, cutoff: 2}"),
        ("{psi: [{layers: 0-1, psi: 0.1*t}]}", "{psi: 0.1*t, cutoff: 2}"),
        ("{psi: 0.5}", "0.5"),
        ("{psi: 0.5, toward: mean}", "0.5"),
    ):
        first, second = (film(f"{WALK}truncation: {text}", generator.spec) for text in (one, other))
        np.testing.assert_array_equal(first.psi, second.psi)
        assert first.key(0, 40) == second.key(0, 40)


def test_mistakes(film, generator):
    last = len(generator.spec.layers) - 1
    for text, where, problem in (
        ("{psi: 1, cutoff: 18}", "truncation.cutoff = 18", f"has layers 0 to {last}; 18 is beyond them"),
        ("{psi: 1, layers: 30}", "truncation.layers = 30", f"has layers 0 to {last}; 30 is beyond them"),
        ("{psi: [{layers: 30, psi: 1}]}", "truncation.psi[0].layers = 30", "30 is beyond them"),
        ("{psi: 1/t, cutoff: 2}", "truncation.psi = 1/t", "divides by zero"),
        ("{psi: 1, toward: class}", "truncation.toward = class", "has no classes"),
        ("{psi: 1, toward: {seed: 3, class: 1}}", "truncation.toward.class = 1", "has no classes"),
        ("{psi: 1, toward: {nearest: [1, {seed: 3, class: 1}]}}", "toward.nearest[1].class = 1", "has no classes"),
    ):
        with pytest.raises(RecipeError) as caught:
            film(f"{WALK}truncation: {text}", generator.spec)
        assert caught.value.where.endswith(where)
        assert problem in caught.value.problem


# toward


def test_at_0_it_is_the_other_centre_and_at_1_nothing_changes(fed, generator):
    full = fed("1")
    for text, centre in (
        ("7", mapped(generator, 7)),
        ("{between: [7, mean]}", (mapped(generator, 7) + generator.w_avg) / 2),
    ):
        torch.testing.assert_close(fed(f"{{psi: 0, toward: {text}}}"), centre.expand_as(full))
        assert torch.equal(fed(f"{{psi: 1, toward: {text}}}"), full)
        torch.testing.assert_close(fed(f"{{psi: 0.25, toward: {text}}}"), centre + 0.25 * (full - centre))
        beyond = fed(f"{{psi: -1, toward: {text}}}")
        torch.testing.assert_close(beyond, 2 * centre - full)


def test_keys_know_the_centre_where_something_is_truncated(film, generator):
    texts = ["0.5", "{psi: 0.5, toward: 7}", "{psi: 0.5, toward: 8}", "{psi: 0.5, toward: {nearest: [7, 8]}}"]
    texts += ["{psi: 0.5, toward: {nearest: [7, 8], softness: 1}}", "{psi: 0.5, toward: {nearest: [7, 9]}}"]
    keys = [film(f"{WALK}truncation: {text}", generator.spec).key(0, 40) for text in texts]
    assert len(set(keys)) == len(texts)
    one, two = (film(f"{WALK}truncation: {{psi: 'max(1, t - 1)', toward: {seed}}}", generator.spec) for seed in (7, 8))
    assert one.key(0, 20) == two.key(0, 20)
    assert one.key(20, 40) != two.key(20, 40)


def test_the_nearest_centre_counts_and_gives_way_smoothly(film, generator):
    seeds = [3, 4, 5]
    centres = torch.stack([mapped(generator, seed) for seed in seeds])
    walk = "walk: {through: [3, 4, 5], every: 1s, space: w}\n"
    made = Feed(
        film(f"{walk}truncation: {{psi: 0, toward: {{nearest: {seeds}, softness: 0.02}}}}", generator.spec), generator
    )
    w = made.inputs(0, 40).w
    for frame, seed in ((0, 0), (10, 1), (20, 2), (30, 0)):
        torch.testing.assert_close(w[frame], centres[seed], atol=1e-4, rtol=1e-4)
    assert torch.equal(made.inputs(7, 13).w, w[7:13])
    two = Feed(
        film(f"{walk}truncation: {{psi: 0, toward: {{nearest: [3, 4], softness: 0.02}}}}", generator.spec), generator
    )
    between = centres[:2].mean(dim=0)  # half way they count the same
    torch.testing.assert_close(two.inputs(5, 6).w[0], between, atol=1e-3, rtol=1e-3)
    softer = Feed(
        film(f"{walk}truncation: {{psi: 0, toward: {{nearest: {seeds}, softness: 1000}}}}", generator.spec), generator
    )
    torch.testing.assert_close(softer.inputs(0, 40).w, centres.mean(dim=0).expand(40, -1, -1), atol=1e-2, rtol=1e-2)


def test_toward_a_softmax_by_hand(film, generator):
    made = film(f"{WALK}truncation: {{psi: 0, toward: {{nearest: [3, 4, 5], softness: 0.5}}}}", generator.spec)
    w = generator.map(torch.as_tensor(made.latents(0, 40))).w.double().numpy()
    centres = np.stack([mapped(generator, seed).double().numpy() for seed in (3, 4, 5)])
    pairs = [((centres[i] - centres[j]) ** 2).mean() for i in range(3) for j in range(3) if i != j]
    scores = np.exp(-((w[:, None] - centres) ** 2).mean(axis=(2, 3)) / (0.5 * np.mean(pairs)))
    weights = scores / scores.sum(axis=1, keepdims=True)
    expected = np.einsum("nk,kld->nld", weights, centres)
    np.testing.assert_allclose(Feed(made, generator).inputs(0, 40).w.numpy(), expected, atol=1e-5)


def test_toward_the_mean_of_the_class(film, conditional):
    z = conditional.latents(range(MEASURED))
    means = torch.stack([conditional.map(z, torch.full((MEASURED,), c)).w.mean(dim=0) for c in range(4)])
    walk = "walk: {through: [{seed: 1, class: 3}, {seed: 2, class: 1}], every: 2s%s}\n"
    for space in ("", ", space: w"):
        text = f"{walk % space}truncation: {{psi: 0, toward: class}}"
        w = Feed(film(text, conditional.spec), conditional).inputs(0, 40).w
        torch.testing.assert_close(w[0], means[3], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(w[10], means[[1, 3]].mean(dim=0), atol=1e-5, rtol=1e-5)
    text = "classes: {weights: {0: 1, 2: 3}, normalise: false}\ntruncation: {psi: 0, toward: class}"
    w = Feed(film(text, conditional.spec), conditional).inputs(0, 40).w
    torch.testing.assert_close(w[7], means[0] / 4 + means[2] * 3 / 4, atol=1e-5, rtol=1e-5)
    assert film(f"{walk % ''}truncation: {{psi: 0.5, toward: class}}", conditional.spec).key(0, 9) != film(
        f"{walk % ''}truncation: 0.5", conditional.spec
    ).key(0, 9)


# BigGAN's


def test_statistics_follow_psi_frame_by_frame_and_stay_where_a_latent_is_gone_toward(film, biggan):
    for text in ("0.25*t", "{psi: 0.25*t}"):
        fed = Feed(film(f"{WALK}classes: 1\ntruncation: {text}", biggan.spec), biggan).inputs(0, 40)
        np.testing.assert_allclose(fed.psi.numpy(), np.arange(40) / 40, atol=1e-6)
        z = biggan.spec.latents([1])[0]
        np.testing.assert_allclose(fed.w[:, 0, : len(z)][0].numpy(), 0 * z, atol=1e-6)
        assert torch.equal(
            Feed(film(f"{WALK}classes: 1\ntruncation: {text}", biggan.spec), biggan).inputs(9, 12).w, fed.w[9:12]
        )
    arrived = Feed(film(f"{WALK}classes: 1\ntruncation: {{psi: 0, toward: 7}}", biggan.spec), biggan).inputs(0, 1)
    direct = biggan.map(biggan.latents([7]), torch.tensor([1]))
    torch.testing.assert_close(arrived.w, direct.w)
    torch.testing.assert_close(biggan.synthesise(arrived), biggan.synthesise(direct))
