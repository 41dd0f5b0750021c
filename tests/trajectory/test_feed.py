"""What synthesis is fed by the new words, on a device; CPPN, and small StyleGAN2s of random weights."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from gandream.models.registry import describe, load_generator
from gandream.trajectory.compose import compose
from gandream.trajectory.feed import Feed
from gandream.trajectory.places import Place
from gandream.trajectory.trajectory import Trajectory

SPEC = describe("cppn#7")
L, D = len(SPEC.layers), SPEC.latent_size
FILM = "walk: {through: [1, 2, 3], every: 2s}\nvideo: {duration: 6s, fps: 20}\n"


@pytest.fixture(scope="module")
def generator():
    return load_generator("cppn#7", "cpu")


@pytest.fixture
def film(written):
    def make(text: str = "", first: str = FILM, spec=SPEC) -> Trajectory:
        return compose(written(first + text), spec).trajectory

    return make


@pytest.fixture
def fed(film, generator):
    def make(text: str = "", first: str = FILM) -> torch.Tensor:
        return film(text, first).inputs(generator, 0, 120).w

    return make


def mapped(generator, *seeds, classes=None) -> torch.Tensor:
    z = torch.as_tensor(generator.spec.latents(seeds), dtype=torch.float32)
    return generator.map(z, classes).w


def close(tensor, expected, atol=1e-5):
    np.testing.assert_allclose(np.asarray(tensor), np.asarray(expected), atol=atol)


def walk(words: str) -> str:
    return f"walk: {words}\nvideo: {{duration: 6s, fps: 20}}\n"


# places in w


def test_a_walk_in_w_is_straight_between_the_mapped_latents(fed, generator):
    w = fed("", walk("{through: [1, 2, 3], every: 2s, space: w}"))
    one, two, three = mapped(generator, 1, 2, 3)
    for start, a, b in ((0, one, two), (40, two, three), (80, three, one)):
        for frame in range(40):
            close(w[start + frame], a + frame / 40 * (b - a))


def test_the_mean_is_the_same_whatever_the_truncation(fed, generator):
    for psi in ("1", "0.3", "-1", "t"):
        w = fed(f"truncation: {psi}", walk("{through: mean}"))
        assert torch.equal(w, generator.w_avg.expand_as(w))


def test_between_in_w_is_straight(fed, generator):
    two, mean = mapped(generator, 2)[0], generator.w_avg
    for amount in (0, 0.5, 1, -1, 1.5):
        w = fed("", walk(f"{{through: [{{between: [2, mean], amount: {amount}}}]}}"))
        close(w, (two + amount * (mean - two)).expand_as(w))


def test_saved_latents_are_fed_as_they_were_saved(fed, generator, tmp_path):
    random = np.random.RandomState(3)
    z, w, flat = random.randn(D), random.randn(L, D), random.randn(2, 1, D)
    np.savez(tmp_path / "x.npz", z=z, w=w, flat=flat)
    close(fed("", walk("{through: x.npz#z}")), generator.map(torch.tensor(z[None]).float()).w.expand(120, -1, -1))
    close(fed("", walk("{through: x.npz#w}")), np.tile(w, (120, 1, 1)))
    close(fed("", walk("{through: x.npz#flat/1}")), np.tile(flat[1], (120, L, 1)))
    half = (w + flat[0]) / 2
    close(fed("", walk("{through: [x.npz#w, x.npz#flat/0], every: 3s}"))[30], half)


def test_a_spline_in_w_with_uneven_times_is_met_and_smooth(fed, generator):
    text = walk("{through: [1, 2, 3, 4], at: [0s, 1s, 4s, 5s], path: spline, space: w}")
    w = fed("", text)
    close(w[[0, 20, 80, 100]], mapped(generator, 1, 2, 3, 4))
    bends = torch.diff(w, 2, dim=0).abs().amax(dim=(1, 2))
    straight = torch.diff(fed("", text.replace("spline", "lerp")), 2, dim=0).abs().amax(dim=(1, 2))
    assert bends.max() < straight.max() / 3


# mixes


def test_an_amount_of_0_is_nothing_and_of_1_is_the_source_on_its_layers_to_the_last_bit(fed, film, generator):
    plain = fed()
    assert torch.equal(fed("mix: {from: 9, amount: 0}"), plain)
    assert torch.equal(fed("mix: {from: 9, amount: 1 - 1}"), plain)
    mixed = fed("mix: {from: 9, layers: [0, 3-4]}")
    chosen = [0, 3, 4]
    others = [layer for layer in range(L) if layer not in chosen]
    source = film("", walk("{through: 9, space: w}")).inputs(generator, 0, 120).w
    assert torch.equal(mixed[:, chosen], source[:, chosen])
    assert torch.equal(mixed[:, others], plain[:, others])


def test_amounts_are_a_lerp_and_go_beyond(fed, generator):
    plain, nine = fed(), mapped(generator, 9)[0]
    for amount in (0.25, -0.5, 2):
        close(fed(f"mix: {{from: 9, amount: {amount}}}"), plain + amount * (nine - plain), 1e-4)


def test_a_mix_is_made_from_its_frame_to_its_frame(fed):
    plain, mixed = fed(), fed("mix: {from: 9, layers: fine, at: 33 frames, until: 51 frames}")
    different = (plain != mixed).flatten(1).any(dim=1).numpy()
    np.testing.assert_array_equal(np.flatnonzero(different), range(33, 51))


def test_a_whole_second_walk_is_a_source(fed):
    words = "{through: [7, 8, 9], every: 1s, speed: 0.5 + 0.5*t, path: spline}"
    mixed, alone, plain = fed(f"mix: {{from: {words}, layers: 4-}}"), fed("", walk(words)), fed()
    close(mixed[:, 4:], alone[:, 4:])
    close(mixed[:, :4], plain[:, :4])


def test_mixes_are_made_in_order(fed, generator):
    plain, (eight, nine) = fed(), mapped(generator, 8, 9)
    eight, nine = eight.expand_as(plain), nine.expand_as(plain)
    close(fed("mix: [{from: 8}, {from: 9, amount: 0.5}]"), (eight + nine) / 2)
    close(fed("mix: [{from: 9, amount: 0.5}, {from: 8}]"), eight)


# order


def test_truncation_is_after_mixing_and_pushes_in_w_are_after_truncation(fed, generator):
    plain, (eight, nine), mean = fed(), mapped(generator, 8, 9), generator.w_avg
    for psi in (0.5, 0, -1):
        mixed = plain + 0.5 * (eight - plain)
        cut = mean + psi * (mixed - mean)
        close(fed(f"mix: {{from: 8, amount: 0.5}}\ntruncation: {psi}"), cut)
        text = f"mix: {{from: 8, amount: 0.5}}\ntruncation: {psi}\npush: {{random: 9, space: w, by: 0.3}}"
        close(fed(text), cut + 0.3 * (nine - mean))
        # A mix of truncated ones is the truncated mix: affine steps commute.
        close(cut, (mean + psi * (plain - mean)) * 0.5 + 0.5 * (mean + psi * (eight - mean)))


def test_a_push_of_a_walk_in_w_is_in_w(fed, generator):
    text = walk("{through: [1, mean], every: 3s}")
    close(
        fed("push: {random: 9, by: 0.5}", text) - fed("", text),
        (0.5 * (mapped(generator, 9)[0] - generator.w_avg)).expand(120, -1, -1),
    )


def test_truncation_by_layer_leaves_others_as_they_are(fed, film, generator):
    plain, cut = fed(), fed("truncation: [{layers: 2-3, psi: 0.5}, {layers: 8, psi: 0}]")
    close(cut[:, 2:4], generator.w_avg[2:4] + 0.5 * (plain[:, 2:4] - generator.w_avg[2:4]))
    close(cut[:, 8], generator.w_avg[8].expand_as(cut[:, 8]))
    close(cut[:, [0, 1, 4, 5, 6, 7]], plain[:, [0, 1, 4, 5, 6, 7]])
    assert film("truncation: {layers: fine, psi: 0.5}").inputs(generator, 3, 9).psi.shape == (6,)


def test_a_blend_replaces_by_weights_before_the_mix(generator, written, music):
    latents = list(range(20, 32))
    text = f"audio: {music}\nsignals: {{notes: chroma}}\nvideo: {{duration: 4s}}\n"
    plain = compose(written(text), SPEC).trajectory
    text += f"blend: {{by: notes, latents: {latents}, layers: 2-}}\n"
    trajectory = compose(written(text), SPEC).trajectory
    (blend,) = trajectory.blends
    w, base = trajectory.inputs(generator, 0, 120).w, plain.inputs(generator, 0, 120).w
    source = np.einsum("fb,bld->fld", blend.weights, mapped(generator, *latents).double().numpy())
    amounts = blend.amounts[:, None, None]
    close(w[:, 2:], (base.numpy() + amounts * (source - base.numpy()))[:, 2:], 1e-4)
    assert torch.equal(w[:, :2], base[:, :2])
    mixed = compose(written(text + "mix: {from: 9, amount: 0.5}"), SPEC).trajectory.inputs(generator, 0, 120).w
    close(mixed, w + 0.5 * (mapped(generator, 9)[0] - w))


# classes


def test_a_morph_of_classes_is_a_mixture(stylegan2, written):
    generator = stylegan2(classes=3, z=10, w=12)
    text = walk("{through: [{seed: 1, class: 0}, {seed: 1, class: 2}], every: 3s, path: %s}")
    w = compose(written(text % "slerp"), generator.spec).trajectory.inputs(generator, 0, 120).w
    close(w[0], mapped(generator, 1, classes=torch.tensor([0]))[0])
    close(w[60], mapped(generator, 1, classes=torch.tensor([2]))[0])
    close(w[30], mapped(generator, 1, classes=torch.tensor([[0.5, 0, 0.5]]))[0])
    jumps = compose(written(text % "step"), generator.spec).trajectory.inputs(generator, 0, 120).w
    close(jumps[59], jumps[0])
    close(jumps[60], w[60])
    in_w = compose(written(text % "lerp, space: w"), generator.spec).trajectory.inputs(generator, 0, 120).w
    close(in_w[30], (w[0] + w[60]) / 2)


def test_a_push_toward_a_latent_of_another_class_arrives(stylegan2, written):
    generator = stylegan2(classes=3, z=10, w=12)
    stay = walk("{through: [{seed: 1, class: 2}]}")
    pushed = compose(written(stay + "\npush: {toward: {seed: 3, class: 1}}"), generator.spec).trajectory
    close(pushed.inputs(generator, 0, 1).w[0], mapped(generator, 3, classes=torch.tensor([1]))[0])
    same = compose(written(stay + "\npush: {toward: {seed: 3, class: 2}}"), generator.spec).trajectory
    assert not same.shoves[0].in_w


def test_a_saved_w_of_a_model_whose_w_is_of_another_size(stylegan2, written, tmp_path):
    generator = stylegan2(z=24, w=40)
    rows = generator.w_avg.shape[0]
    saved = np.random.RandomState(0).randn(rows, 40).astype(np.float32)
    np.save(tmp_path / "w.npy", saved)
    w = compose(written("walk: {through: w.npy}"), generator.spec).trajectory.inputs(generator, 0, 3).w
    np.testing.assert_array_equal(w.numpy(), np.tile(saved, (3, 1, 1)))


# ranges and memory


EVERYTHING = """
mix:
  - {from: {through: [7, mean, 9], every: 0.7s, path: spline}, layers: 2-5, amount: 0.5 + 0.5*sin(t)}
  - {from: {between: [3, mean]}, layers: fine, at: 2s, until: 5s, fade: 0.5s}
  - {from: {through: [4, 5], every: 1s}, layers: 0-1, amount: 0.3}
truncation: [{layers: coarse, psi: 0.7}, {layers: fine, psi: {0s: 0, 6s: 1}}]
push: {toward: mean, by: 0.2, layers: 3}
"""


@pytest.mark.parametrize(
    "words", ["{through: [1, 2, 3], every: 2s}", "{through: [1, mean, 3], every: 2s, path: spline}"]
)
def test_any_range_is_fed_the_same_bits_by_any_feed(film, generator, words):
    trajectory = film(EVERYTHING, walk(words))
    one = Feed(trajectory, generator)
    whole = one.inputs(0, 120)
    for start, stop in ((0, 1), (119, 120), (17, 60), (40, 41), (39, 100)):
        for feed in (one, Feed(trajectory, generator)):
            part = feed.inputs(start, stop)
            assert torch.equal(part.w, whole.w[start:stop])
            assert torch.equal(part.psi, whole.psi[start:stop])


def test_only_the_latents_near_a_frame_are_mapped_and_each_once(film, generator, monkeypatch):
    trajectory = film("", walk(f"{{through: {list(range(60))}, every: 1s, space: w}}"))
    feed, asked = Feed(trajectory, generator), []
    monkeypatch.setattr(feed, "_map", lambda at, map_one=feed._map: asked.append(at) or map_one(at))
    feed.inputs(0, 5)
    assert len(asked) == 4
    feed.inputs(0, 20)
    feed.inputs(5, 10)
    assert len(asked) == 4
    feed.inputs(0, 120)
    assert len(asked) == len(set(asked)) == 9


def test_what_is_remembered_is_bounded_and_never_another_places(film, generator, monkeypatch):
    monkeypatch.setattr("gandream.trajectory.feed.KEPT", 3)
    text = walk(f"{{through: {list(range(50))}, every: 0.1s, space: w}}")
    trajectory = film("", text)
    feed = Feed(trajectory, generator)
    w = torch.cat([feed.inputs(start, start + 10).w for start in range(0, 120, 10)])
    assert len(feed._stops) <= 3
    close(w[0:100:2], mapped(generator, *range(50)))
    # Places that came and went don't answer for others that got their address.
    for seed in range(50):
        close(feed._one(Place(z=SPEC.latents([seed])[0])), mapped(generator, seed)[0])


def test_a_frame_costs_less_than_a_millisecond(written, generator):
    text = "walk: {through: [1, mean, 3], every: 2s, path: spline}\nvideo: {duration: 20s, fps: 30}\n"
    trajectory = compose(written(text + EVERYTHING), SPEC).trajectory
    best = np.inf
    for _ in range(3):
        feed = Feed(trajectory, generator)
        began = time.perf_counter()
        for start in range(0, 600, 4):
            feed.inputs(start, start + 4)
        best = min(best, time.perf_counter() - began)
    print(f"{best / 600 * 1e3:.3f} ms a frame")
    assert best / 600 < 1.5e-3  # 0.4 ms on a quiet core


# pictures

CHANGES = [
    "mix: {from: 9}",
    "mix: {from: 9, layers: fine}",
    "mix: {from: {through: [9, 8]}}",
    "mix: {from: 9, amount: 0.3}",
    "truncation: {layers: coarse, psi: 0.3}",
    "truncation: 0.5",
]


@pytest.mark.parametrize("text", CHANGES)
def test_each_word_changes_the_picture_and_equal_recipes_have_equal_ones(film, generator, text):
    def picture(trajectory):
        return generator.synthesise(trajectory.inputs(generator, 50, 52), size=(48, 48))

    plain, one, two = (picture(film(words)) for words in ("", text, text))
    assert torch.equal(one, two)
    assert (one - plain).abs().mean() > 0.01


@pytest.mark.parametrize(
    "words",
    [
        "{through: [1, 2, 3], every: 2s, space: w}",
        "{through: [1, 2, 3], every: 2s, path: spline}",
        "{through: [1, mean, 3], every: 2s}",
        "{through: [1, {between: [2, 5]}, 3], every: 2s}",
        "{through: [1, z.npy, 3], every: 2s}",
        "{through: [1, w.npy, 3], every: 2s}",
    ],
)
def test_each_way_of_naming_latents_changes_the_picture(film, generator, words, tmp_path):
    random = np.random.RandomState(3)
    np.save(tmp_path / "z.npy", random.randn(D))
    np.save(tmp_path / "w.npy", random.randn(L, D))
    plain, other = (
        generator.synthesise(film("", text).inputs(generator, 30, 31), size=(48, 48)) for text in (FILM, walk(words))
    )
    assert (other - plain).abs().mean() > 0.003
