"""Pictures for drafts, of a quarter of a pattern network's points: the same pictures, and always the same bytes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gandream.models import cppn
from gandream.models.bending import Bend
from gandream.models.cppn.rough import can_be_rough
from gandream.models.registry import describe
from gandream.recipe.recipe import Recipe
from gandream.rendering.paint import Painter
from gandream.rendering.plan import make_plan
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat

SEEDS = range(8)


@pytest.fixture(scope="module")
def net():
    return cppn.load("7")


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def db(a: Tensor, b: Tensor) -> list[float]:
    """PSNR of each picture, of values from -1 to 1."""
    errors = (a - b).square().flatten(1).mean(dim=1)
    return (-10 * torch.log10(errors / 4)).tolist()


@pytest.mark.parametrize("size", [(256, 256), (270, 480)])
def test_it_is_the_same_picture_and_better_than_a_smaller_one_made_larger(net, size: tuple[int, int]):
    inputs = net.map(net.latents(SEEDS), psi=0.8)
    whole, rough = (net.synthesise(inputs, size=size, rough=how) for how in (False, True))
    small = net.synthesise(inputs, size=(size[0] // 2, size[1] // 2))
    larger = functional.interpolate(small, size, mode="bicubic", antialias=True)
    found, resized = db(whole, rough), db(whole, larger)
    assert min(found) > 42
    assert sorted(found)[len(found) // 2] > 47
    assert all(mine > its + 2 for mine, its in zip(found, resized, strict=True))
    assert rough.abs().max() <= 1
    assert not torch.equal(whole, rough), "it was asked for"


def test_batch_and_threads_change_no_byte(net, threads):
    w = net.map(net.latents(SEEDS)).w
    threads(1)
    made = net.synthesise(w, size=(64, 96), rough=True)
    parts = [net.synthesise(part, size=(64, 96), rough=True) for part in w.split([1, 3, 4])]
    threads(3)
    assert torch.equal(made, torch.cat(parts))
    assert torch.equal(made, net.synthesise(w, size=(64, 96), rough=True))


def test_it_is_moved_as_the_whole_picture_is(net):
    inputs = net.map(net.latents([3, 5]), psi=0.8)
    turn = torch.tensor([[0.8, -0.6, 0.2], [0.6, 0.8, -0.1], [0, 0, 1]])
    whole, rough = (net.synthesise(inputs, size=(128, 128), transform=turn, rough=how) for how in (False, True))
    assert min(db(whole, rough)) > 36
    assert min(db(whole, rough)) > max(db(whole, net.synthesise(inputs, size=(128, 128)))) + 10, "it has moved"


def test_what_has_no_rough_picture_is_made_in_full(net):
    w = net.map(net.latents([3])).w
    one = np.ones(1)
    flip = Bend("flip", frozenset([1]), {"_": one}, one, one > 0, choices={"flip": "horizontal"})
    for more in ({"size": (63, 64)}, {"size": (14, 64)}, {"layer": 2}, {"bend": [flip]}):
        given = {"size": (64, 64), **more}
        assert torch.equal(net.synthesise(w, **given), net.synthesise(w, **given, rough=True)), more
    assert [can_be_rough(size) for size in [(16, 16), (64, 90), (15, 64), (64, 91), (8, 64)]] == [
        True,
        True,
        *[False] * 3,
    ]


def test_a_drafts_pictures_are_rough_and_have_keys_of_their_own(net):
    recipe = Recipe.model_validate(
        {"model": "cppn#7", "walk": {"through": [1, 2], "every": 1}, "video": {"fps": 10, "duration": 4}}
    )
    fmt = VideoFormat(64, 48, Fraction(10))

    def plan(spec, draft: bool):
        return make_plan(compose(recipe, spec).trajectory, fmt, "cpu", draft=draft)

    spec = describe("cppn#7")
    whole, draft = plan(spec, False), plan(spec, True)
    assert not {one.key for one in whole.segments} & {one.key for one in draft.segments}
    assert [(one.start, one.stop) for one in whole.segments] == [(one.start, one.stop) for one in draft.segments]
    inputs = Painter(whole, net).feed.inputs(3, 6)
    assert torch.equal(Painter(draft, net).paint(3, 6), net.synthesise(inputs, size=(48, 64), rough=True))
    assert torch.equal(Painter(whole, net).paint(3, 6), net.synthesise(inputs, size=(48, 64)))
    other = replace(spec, rough=False)
    assert [one.key for one in plan(other, False).segments] == [one.key for one in plan(other, True).segments]
