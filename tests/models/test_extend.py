"""Pictures wider or taller than a model was trained for: nothing of the native ones changes, and nothing repeats."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
import torch
from stylegan1_reference import lernapparat
from stylegan1_reference import random_tensors as stylegan1_tensors
from stylegan3_reference import Reference as Reference3
from stylegan3_reference import random_network

from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.registry import describe, load_generator
from gandream.models.style.extend import cells, centre, extended, extended_noise

DEEP = {"channels": (48, 32, 24, 16), "w": 32, "z": 32}  # 32 x 32
"""A StyleGAN2 with so many channels that the columns of its constant have little to do with each other."""


def repeats(picture: torch.Tensor, cell: int) -> float:
    """How like two places of a picture [C, H, W] are at most: correlation of parts a cell wide that don't overlap.

    As they are or mirrored; 1 is a copy. What all columns share, as a sky above, is left out.
    """
    picture = picture - picture.mean(dim=2, keepdim=True)
    columns = picture.unfold(2, cell, 1).permute(2, 0, 1, 3).double()  # [places, C, H, cell]
    as_is, mirrored = (
        part - part.mean(dim=1, keepdim=True) for part in (columns.flatten(1), columns.flip(3).flatten(1))
    )
    as_is, mirrored = (part / part.norm(dim=1, keepdim=True) for part in (as_is, mirrored))
    place = torch.arange(len(columns))
    like = torch.maximum(as_is @ as_is.T, as_is @ mirrored.T)
    return float(like[(place[:, None] - place).abs() >= cell].max())


@pytest.fixture(scope="module")
def deep(stylegan2_file):
    return load_generator(str(stylegan2_file(**DEEP)), "cpu")


@pytest.fixture(scope="module")
def w(deep):
    return deep.map(deep.latents(range(6))).w


# the constant


def test_as_many_cells_as_are_needed_and_the_same_on_both_sides():
    assert cells((4, 4), (32, 32), (32, 32)) == (4, 4)
    assert cells((4, 4), (32, 32), (32, 57)) == (4, 8)
    assert cells((4, 4), (32, 32), (32, 33)) == (4, 6)
    assert cells((4, 4), (32, 32), (65, 8)) == (10, 4)
    assert cells((4, 7), (64, 112), (64, 200)) == (4, 13)
    assert cells((4, 2), (32, 16), (32, 57)) == (4, 8)


@pytest.mark.parametrize("shape", [(4, 4), (4, 7), (7, 3), (4, 2)])
def test_what_was_learned_stays_in_the_middle(shape):
    const = torch.randn(16, *shape)
    made = extended(const, (shape[0] + 6, shape[1] + 14))
    assert made.shape == (16, shape[0] + 6, shape[1] + 14)
    assert torch.equal(made[:, 3:-3, 7:-7], const)
    assert torch.equal(extended(const, shape), const)
    assert torch.equal(
        extended(const, (shape[0], shape[1] + 14))[:, :, 4:-4], extended(const, (shape[0], shape[1] + 6))
    )
    assert torch.equal(made, extended(const, (shape[0] + 6, shape[1] + 14)))


@pytest.mark.parametrize("shape", [(4, 4), (4, 7), (3, 5)])
def test_new_columns_have_the_mean_and_the_covariance_of_the_learned_ones(shape):
    height, width = shape
    const = torch.randn(8, *shape, dtype=torch.float64) * torch.linspace(0.1, 3, 8)[:, None, None] + 2
    made = extended(const, (height, 5 * width))
    learned = const - const.mean(dim=2, keepdim=True)
    for block in range(5):
        part = made[:, :, block * width : (block + 1) * width]
        torch.testing.assert_close(part.mean(dim=2), const.mean(dim=2))
        off = part - part.mean(dim=2, keepdim=True)
        torch.testing.assert_close(torch.einsum("ayk,bzk->aybz", off, off),
                                   torch.einsum("ayk,bzk->aybz", learned, learned))  # fmt: skip


@pytest.mark.parametrize("shape", [(4, 4), (4, 2), (4, 7)])
def test_no_column_of_the_constant_comes_twice(shape):
    torch.manual_seed(1)
    const = torch.randn(512, *shape)
    columns = extended(const, (shape[0], 16 + shape[1])).permute(2, 0, 1).flatten(1)
    two, turned = (torch.cat(pair, dim=1) for pair in ((columns[:-1], columns[1:]), (columns[1:], columns[:-1])))
    like = torch.corrcoef(torch.cat((two, turned)))[: len(two)].abs()
    like[:, : len(two)].fill_diagonal_(0)
    assert like.max() < 0.93


# pictures


def test_at_its_own_size_nothing_changes_to_the_bit(deep, w):
    before = deep.synthesise(w)
    assert deep.synthesise(w, size=(32, 64)).shape == (6, 3, 32, 64)
    assert torch.equal(deep.synthesise(w), before)
    assert torch.equal(deep.synthesise(w, size=(32, 32)), before)


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
@pytest.mark.parametrize(("const", "size"), [((4, 4), (32, 64)), ((4, 2), (32, 64)), ((4, 4), (80, 48))])
def test_it_is_the_network_with_a_larger_constant_and_more_noise(stylegan2_file, tmp_path, architecture, const, size):
    """A file whose constant and noise are extended already makes the same pictures natively."""
    file = stylegan2_file(channels=(8, 6, 5, 4), const=const, architecture=architecture)
    small = load_generator(str(file), "cpu")
    tensors = safetensors.numpy.load_file(file)
    own, shape = tensors["synthesis.b4.const"].shape[1:], (size[0] // 8, size[1] // 8)
    tensors["synthesis.b4.const"] = extended(torch.from_numpy(tensors["synthesis.b4.const"]), shape).numpy()
    for row, layer in enumerate(small.spec.layers[:-1]):
        key = f"synthesis.{layer.name}.noise_const"
        side = tuple(n // m * k for n, m, k in zip(tensors[key].shape, own, shape, strict=True))
        noise = extended_noise(torch.from_numpy(tensors[key]), side, row, NoiseMaps(torch.device("cpu")))
        tensors[key] = np.ascontiguousarray(noise.numpy())
    safetensors.numpy.save_file(tensors, tmp_path / "large.safetensors")
    large = load_generator(str(tmp_path / "large.safetensors"), "cpu")
    assert large.spec.size == size
    w = small.map(small.latents([1, 2])).w
    torch.testing.assert_close(small.synthesise(w, size=size), large.synthesise(w), atol=1e-5, rtol=1e-4)


def test_other_sizes_are_the_middle_of_whole_cells(deep, w):
    whole = deep.synthesise(w, size=(48, 64))
    assert torch.equal(deep.synthesise(w, size=(33, 57)), whole[:, :, 7:40, 3:60])
    assert torch.equal(deep.synthesise(w, size=(20, 8)), deep.synthesise(w)[:, :, 6:26, 12:20])
    for size in ((0, 32), (32, -1)):
        with pytest.raises(ValueError, match="positive"):
            deep.synthesise(w, size=size)


def test_the_middle_stays_near_the_native_picture(deep, w):
    """Only the edges' zeros change there, and what the new neighbours say."""
    native, wide = deep.synthesise(w), deep.synthesise(w, size=(32, 64))
    inner, other = native[:, :, :, 10:22], wide[:, :, :, 26:38]
    like = torch.corrcoef(torch.stack((inner.flatten(), other.flatten())))[0, 1]
    apart = torch.corrcoef(torch.stack((inner.flatten(), wide[:, :, :, 2:14].flatten())))[0, 1]
    assert like > 0.9
    assert apart < 0.6


def test_beyond_the_edges_there_is_as_much_to_see(deep):
    """Mean and deviation of all colours, over many pictures, of parts that don't lie at an edge."""
    w = deep.map(deep.latents(range(64))).w
    parts = deep.synthesise(w, size=(32, 160)).unflatten(3, (5, 32))[..., 1:4, :]
    own = parts[..., 1, :]
    for side in (0, 2):
        part = parts[..., side, :]
        assert abs(part.mean() - own.mean()) < 0.05 * own.std()
        assert abs(part.std() / own.std() - 1) < 0.05


@pytest.mark.parametrize("size", [(32, 57), (32, 96)])
def test_nothing_repeats_even_without_noise(deep, w, size):
    found = np.mean([repeats(picture, 8) for picture in deep.synthesise(w, size=size, noise="off")])
    # What tiles and mirrors would make of the constant is found by the same measure, and new numbers are not.
    torch.manual_seed(0)
    ground, own = deep.synthesis.ground.extended((32, 96), NoiseMaps(torch.device("cpu"))), deep.synthesis.ground.const
    like = {}
    for name, beside in (("tiled", own), ("mirrored", own.flip(3)), ("new", None)):
        sides = (torch.randn_like(own), torch.randn_like(own)) if beside is None else (beside, beside)
        const = torch.cat((sides[0], own, sides[1]), dim=3)
        pictures = deep.synthesis(w, [None] * 7, replace(ground, const=const))
        like[name] = np.mean([repeats(picture, 8) for picture in pictures])
    assert like["tiled"] > 0.99
    assert like["mirrored"] > 0.93
    assert found < 0.85
    assert found < like["new"] + 0.1


def test_there_is_no_seam(deep):
    """Steps from one column to the next are no larger where cells were added than elsewhere."""
    w = deep.map(deep.latents(range(32))).w
    step = deep.synthesise(w, size=(32, 64)).diff(dim=3).abs().mean(dim=(0, 1, 2))
    inside = step[4:-4]
    for seam in (15, 47):
        around = torch.cat((inside[seam - 4 - 6 : seam - 4 - 1], inside[seam - 4 + 2 : seam - 4 + 7]))
        assert step[seam] < 1.25 * around.mean()


# other families


def test_stylegan1_too(tmp_path):
    """As above: a file whose constant and noise are extended already makes the same pictures natively."""
    tensors = stylegan1_tensors(channels=(12, 8, 6))
    torch.save({name: torch.from_numpy(array) for name, array in lernapparat(tensors).items()}, tmp_path / "small.pt")
    small = load_generator(str(tmp_path / "small.pt"), "cpu")
    assert small.spec.extends
    own, maps = dict(small.tensors), NoiseMaps(torch.device("cpu"))
    own["synthesis.b4.const"] = extended(torch.from_numpy(own["synthesis.b4.const"].copy()), (4, 8)).numpy()
    for row, layer in enumerate(small.spec.layers):
        key, side = f"synthesis.{layer.name}.noise_const", layer.resolution
        if key in own:
            noise = extended_noise(torch.from_numpy(own[key].copy()), (side, 2 * side), row, maps)
            own[key] = np.ascontiguousarray(noise.numpy())
    native = {"gandream": 1, "family": "stylegan1", "configuration": small.configuration}
    write_safetensors(tmp_path / "large.safetensors", own, {"gandream": json.dumps(native)})
    large = load_generator(str(tmp_path / "large.safetensors"), "cpu")
    assert large.spec.size == (16, 32)
    w = small.map(small.latents([1, 2])).w
    before = small.synthesise(w)
    made = small.synthesise(w, size=(16, 32))
    torch.testing.assert_close(made, large.synthesise(w), atol=1e-4, rtol=1e-4)
    assert torch.equal(small.synthesise(w, size=(16, 28)), made[..., 2:30])
    assert torch.equal(small.synthesise(w), before)
    for number, layer in enumerate(small.spec.shown):
        torch.testing.assert_close(small.synthesise(w, size=(16, 32), layer=number), large.synthesise(w, layer=number))
        assert small.synthesise(w, layer=number).shape[2:] == (layer.resolution, layer.resolution)


@pytest.mark.parametrize("options", [{"radial": True, "kernel": 1}, {"shape": (1, 2), "num_layers": 5}])
def test_stylegan3_goes_on_as_its_waves_do(tmp_path, options):
    """A slow network whose input is as many pixels larger, and nothing else, makes the same pictures."""
    tensors, attributes = random_network(resolution=16, most=6, **options)
    native = {"gandream": 1, "family": "stylegan3", "configuration": {"attributes": attributes}}
    write_safetensors(tmp_path / "net.safetensors", tensors, {"gandream": json.dumps(native)})
    generator = load_generator(str(tmp_path / "net.safetensors"), "cpu")
    assert generator.spec.extends
    height, width = generator.spec.size
    columns, rows = attributes["synthesis.input"]["size"]
    scale = generator.spec.shown[0].resolution / min(height, width)
    attributes["synthesis.input"]["size"] = [columns + round(16 * scale), rows + round(32 * scale)]
    w = generator.map(generator.latents([1])).w
    before = generator.synthesise(w)
    made = generator.synthesise(w, size=(height + 32, width + 16))
    wanted = Reference3(tensors, attributes).synthesise(w)
    assert (made - wanted).abs().max() < 1e-3 * wanted.std()
    assert torch.equal(generator.synthesise(w), before)
    assert torch.equal(generator.synthesise(w, size=(height, width)), before)
    assert torch.equal(generator.synthesise(w, size=(height + 31, width + 16)), made[:, :, :-1])


CONDITIONAL = Path(__file__).parent / "data" / "r_cond_r64_transform" / "network.pkl"


def test_a_wide_stylegan3_has_the_native_picture_in_its_middle():
    generator = load_generator(str(CONDITIONAL), "cpu")
    w = generator.map(generator.latents([1]), torch.tensor([1])).w
    native, wide = generator.synthesise(w), generator.synthesise(w, size=(64, 128))
    assert (wide[..., 32:96] - native).abs().max() < 1e-3 * native.std()
    sides = [layer.resolution for layer in generator.spec.shown]
    assert sides[0] == 16
    assert sides[-1] == 64
    for number, side in enumerate(sides):
        assert generator.synthesise(w, layer=number).shape[2:] == (side, side)
        assert generator.synthesise(w, size=(64, 128), layer=number).shape[2:] == (side, 2 * side)
    shown = generator.synthesise(w, layer=0)
    rows = torch.stack((shown[0].flatten(), generator.synthesise(w, size=(64, 128), layer=0)[0, :, :, 8:24].flatten()))
    torch.testing.assert_close(rows[0], rows[1])


# noise


def test_the_models_own_noise_lies_in_the_middle_of_white_noise():
    own, maps = torch.randn(8, 8) + 100, NoiseMaps(torch.device("cpu"))
    made = extended_noise(own, (8, 96), 3, maps)
    assert torch.equal(made[:, 44:52], own)
    beyond = torch.cat((made[:, :44], made[:, 52:]), dim=1)
    assert abs(beyond.mean()) < 0.15
    assert abs(beyond.std() - 1) < 0.1
    assert torch.equal(made, extended_noise(own, (8, 96), 3, NoiseMaps(torch.device("cpu"))))
    assert not torch.equal(beyond, torch.cat((extended_noise(own, (8, 96), 2, maps)[:, :44], beyond[:, 44:]), dim=1))
    assert torch.equal(extended_noise(own, (8, 8), 3, maps), own)


def test_noise_that_moves_has_the_new_size(deep, w):
    asked = []

    def noise(layer, height, width, fixed):
        asked.append((layer, height, width, tuple(fixed.shape)))
        return fixed[None, None]

    made = deep.synthesise(w, size=(32, 57), noise=noise)
    sides = (4, 8, 8, 16, 16, 32, 32)
    assert asked == [(layer, side, 2 * side, (side, 2 * side)) for layer, side in enumerate(sides)]
    assert torch.equal(made, deep.synthesise(w, size=(32, 57)))
    settings = [Setting("animate", np.ones(7, bool), np.ones(6), np.linspace(0, 2, 6), 5)]
    moving = LayerNoise(NoiseMaps(torch.device("cpu")), settings)
    assert not torch.equal(deep.synthesise(w, size=(32, 57), noise=moving), made)


# what says so


def test_families_say_whether_they_extend(deep):
    assert deep.spec.extends
    assert describe("cppn#7").extends
    assert centre(torch.zeros(1, 1, 4, 8), (32, 57), (32, 64)).shape == (1, 1, 4, 7)
    assert math.prod(centre(torch.zeros(1, 1, 4, 4), (1, 1), (32, 32)).shape) == 1
