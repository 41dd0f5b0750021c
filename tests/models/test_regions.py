"""Latents that differ between regions of the picture, blended in the layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from biggan_reference import Kind, random_state

from gandream.models.masks import Mask
from gandream.models.regions import LatentRegion, Regions
from gandream.models.registry import load_generator
from gandream.models.spec import Inputs


def biggan(folder: Path, *_) -> str:
    torch.save(random_state(Kind()), folder / "G_ema.pth")
    return str(folder / "G_ema.pth")


def biggan_deep(_folder, _make, file: Path) -> str:
    return str(file)


def stylegan2(_folder, make, _file) -> str:
    return str(make(channels=(12, 10, 8, 6)))


def split(inputs: Inputs, mask: Mask, amounts=(1.0, 1.0)) -> Inputs:
    """What the first latent shows, and the second in some places; of both the other way round."""
    return Inputs(inputs.w, inputs.psi, (LatentRegion(inputs.w.flip(0), mask, torch.tensor(amounts)),))


@pytest.mark.parametrize("family", [stylegan2, biggan, biggan_deep])
def test_each_region_shows_its_latent(family, tmp_path, stylegan2_file, biggan_deep_file):
    generator = load_generator(family(tmp_path, stylegan2_file, biggan_deep_file), "cpu")
    assert generator.spec.regional
    classes = torch.tensor([0, 1]) if generator.spec.classes else None
    inputs = generator.map(generator.latents([1, 2]), classes)
    plain = generator.synthesise(inputs)
    height, width = plain.shape[2:]

    def all_of_it(value: float) -> torch.Tensor:
        mask = Mask(image=np.full((4, 4), value, np.float32))
        return generator.synthesise(split(inputs, mask))

    assert torch.equal(all_of_it(0), plain)
    torch.testing.assert_close(all_of_it(1), plain.flip(0), atol=1e-4, rtol=1e-3)
    assert torch.equal(generator.synthesise(split(inputs, Mask("left"), (0.0, 1.0)))[0], plain[0])
    halves = generator.synthesise(split(inputs, Mask("left")))
    away = (halves - plain).abs().mean(dim=1)
    other = (halves - plain.flip(0)).abs().mean(dim=1)
    edge = width // 8
    assert (other[:, :, :edge].mean(dim=(1, 2)) < 0.7 * away[:, :, :edge].mean(dim=(1, 2))).all()
    assert (away[:, :, -edge:].mean(dim=(1, 2)) < 0.7 * other[:, :, -edge:].mean(dim=(1, 2))).all()
    last = len(generator.spec.shown) - 1
    assert not torch.equal(
        generator.synthesise(split(inputs, Mask("left")), layer=last), generator.synthesise(inputs, layer=last)
    )
    assert height == width


def test_pictures_of_a_batch_have_their_own_spots(stylegan2_file):
    generator = load_generator(stylegan2(None, stylegan2_file, None), "cpu")
    inputs = generator.map(generator.latents([1, 2]))
    spots = np.array([[0.2, 0.2, 0.3], [0.8, 0.8, 0.3]])
    both = generator.synthesise(split(inputs, Mask(spots=spots)))
    for n in range(2):
        alone = split(inputs, Mask(spots=spots)).regions[0].of(n)
        one = generator.synthesise(Inputs(inputs.w[n : n + 1], None, (alone,)))
        torch.testing.assert_close(one[0], both[n], atol=1e-5, rtol=1e-4)
    moved = (both - generator.synthesise(inputs)).abs().mean(dim=1)
    assert moved[0, :12, :12].mean() > 2 * moved[0, -12:, -12:].mean()
    assert moved[1, -12:, -12:].mean() > 2 * moved[1, :12, :12].mean()


def test_later_regions_lie_over_earlier_ones():
    w = torch.zeros(1, 1, 1)
    regions = Regions([LatentRegion(w + n, Mask("left"), torch.ones(1)) for n in (1, 2)])
    made = regions(lambda one: one.view(1, 1, 1, 1).expand(1, 1, 4, 40), w)
    assert (made[..., :12] == 2).all()
    assert (made[..., -12:] == 0).all()
    assert Regions()(lambda one: one, w) is w
