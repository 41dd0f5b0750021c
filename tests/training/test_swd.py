"""The sliced Wasserstein distance: against a transcription in plain numpy, a case by hand, and what it should feel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gandream.training import swd as module
from gandream.training.swd import Descriptors, laplacian_pyramid, mean, places, swd, wasserstein


def pictures(count: int, seed: int, side: int = 64) -> Tensor:
    """Blobs of many sizes, some with edges, and a colour of its own in each picture: uint8 [count, 3, side, side]."""
    random = torch.Generator().manual_seed(seed)
    images = 40 * torch.randn(count, 3, 1, 1, generator=random) + 128
    for cells in (4, 8, 16, side // 2):
        blobs = torch.randn(count, 3, cells, cells, generator=random)
        images = images + 18 * torch.nn.functional.interpolate(
            blobs, size=side, mode="nearest" if cells == 8 else "bilinear"
        )
    return images.round().clamp(0, 255).to(torch.uint8)


def described(images: Tensor, **arguments: int) -> Descriptors:
    found = Descriptors(images.shape[-1], **arguments)
    for batch in images.split(100):
        found.add(batch)
    return found


def blurred(images: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(images.float(), 3, 1, 1, count_include_pad=False).round().to(torch.uint8)


def test_equals_a_transcription_in_plain_numpy():
    def blur(plane):
        padded = np.pad(plane, 2, mode="reflect")
        kernel = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
        rows, columns = plane.shape
        return np.array([[(padded[y : y + 5, x : x + 5] * kernel).sum() for x in range(columns)] for y in range(rows)])

    def descriptors(images, seed):
        levels = {32: [], 16: []}
        for number, image in enumerate(images.double().numpy() / 127.5 - 1):
            small = np.stack([blur(plane)[::2, ::2] for plane in image])
            spread = np.zeros_like(image)
            spread[:, ::2, ::2] = small
            for side, level in ((32, image - np.stack([4 * blur(plane) for plane in spread])), (16, small)):
                rows, columns = places(seed, np.array([number]), side, 5)
                for y, x in zip(rows[0], columns[0], strict=True):
                    levels[side].append(level[:, y : y + 7, x : x + 7])
        return {side: np.array(cut) for side, cut in levels.items()}

    a, b = pictures(6, 1, 32), pictures(6, 2, 32)
    directions = torch.randn(147, 512, generator=torch.Generator().manual_seed(9)).double().numpy()
    directions /= np.linalg.norm(directions, axis=0)
    wanted = {}
    for side in (32, 16):
        sets = []
        for images in (a, b):
            cut = descriptors(images, 3)[side]
            cut = (cut - cut.mean((0, 2, 3), keepdims=True)) / cut.std((0, 2, 3), keepdims=True)
            sets.append(np.sort(cut.reshape(-1, 147) @ directions, axis=0))
        wanted[side] = 1000 * np.abs(sets[0] - sets[1]).mean()

    found = swd(described(a, per_image=5, seed=3), described(b, per_image=5, seed=3), seed=9)
    assert found == pytest.approx(wanted, rel=1e-3)
    assert mean(found) == pytest.approx((wanted[32] + wanted[16]) / 2, rel=1e-3)


def test_distance_on_a_line_by_hand():
    a, b = np.array([[0.0, 1, 5]], np.float32), np.array([[1.0, 2, 3]], np.float32)
    assert wasserstein(a, b) == pytest.approx([(1 + 1 + 2) / 3])
    assert wasserstein(a, a + 0.5) == pytest.approx([0.5])
    twice = np.repeat(b, 2, axis=1)
    assert wasserstein(a, twice) == wasserstein(twice, a) == pytest.approx([4 / 3])


def test_pyramid_sums_back_to_the_picture():
    images = pictures(2, 4).float()
    levels = laplacian_pyramid(images)
    assert [level.shape[-1] for level in levels] == [64, 32, 16]
    rebuilt = levels[-1]
    for level in reversed(levels[:-1]):
        spread = torch.zeros_like(level)
        spread[..., ::2, ::2] = rebuilt
        padded = torch.nn.functional.pad(spread, (2, 2, 2, 2), mode="reflect")
        taps = torch.tensor([1.0, 4, 6, 4, 1]) / 8
        kernel = torch.outer(taps, taps).expand(3, 1, 5, 5)
        rebuilt = level + torch.nn.functional.conv2d(padded, kernel, groups=3)
    assert torch.allclose(rebuilt, images, atol=1e-3)
    flat = laplacian_pyramid(torch.full((1, 3, 64, 64), 0.7))
    assert max(level.abs().max() for level in flat[:-1]) < 1e-6
    assert torch.allclose(flat[-1], torch.tensor(0.7))


@pytest.fixture
def few_directions(monkeypatch):
    """A quarter of the directions and of the time."""
    monkeypatch.setattr(module, "PROJECTIONS", 128)


@pytest.mark.usefixtures("few_directions")
def test_the_same_kind_of_pictures_is_near_and_nearer_with_more_of_them():
    few, many = (swd(described(pictures(n, 1)), described(pictures(n, 2))) for n in (25, 400))
    assert all(many[level] < 0.5 * few[level] for level in (64, 32, 16))
    assert mean(many) < 25 < 0.1 * mean(swd(described(pictures(25, 1)), described(torch.zeros_like(pictures(25, 2)))))
    one = described(pictures(20, 1))
    assert swd(one, described(pictures(20, 1))) == {64: 0, 32: 0, 16: 0}


@pytest.mark.usefixtures("few_directions")
def test_each_change_is_felt_where_it_happens():
    images, real = pictures(200, 1), described(pictures(200, 2))
    floor = swd(described(images), real)

    def raised(changed: Tensor) -> dict[int, float]:
        found = swd(described(changed), real)
        return {level: found[level] / floor[level] for level in floor}

    random = torch.Generator().manual_seed(5)
    noise = 25 * torch.randn(images.shape, generator=random)
    grainy = raised((images + noise).round().clamp(0, 255).to(torch.uint8))
    soft = raised(blurred(images))
    for fine in (grainy, soft):
        assert fine[64] > 1.7
        assert fine[32] < 1.25
        assert fine[16] < 1.1
    tint = 127.5 * (2 * torch.rand(200, 3, 1, 1, generator=random) - 1)
    tinted = raised((images.float() + tint).round().clamp(0, 255).to(torch.uint8))
    assert tinted[16] > 1.3
    assert tinted[64] < 1.2
    cast = raised((images.float() * 0.5 + 20).round().to(torch.uint8))
    assert max(cast.values()) < 1.05, "what all pictures of a set share is normalised away, as in the paper"


def test_symmetric():
    a, b = described(pictures(30, 1)), described(blurred(pictures(40, 2)))
    assert swd(a, b, seed=4) == swd(b, a, seed=4)
    assert swd(a, b, seed=4) != swd(a, b, seed=5)


def test_batches_and_kinds_of_numbers_change_nothing():
    images = pictures(30, 1, 32)
    at_once, bit_by_bit = Descriptors(32), Descriptors(32)
    at_once.add(images)
    for batch in (images[:1], images[1:8], images[8:8], images[8:]):
        bit_by_bit.add(batch.float() / 127.5 - 1)
    assert bit_by_bit.images == 30
    for level in (32, 16):
        assert torch.equal(torch.cat(at_once.blocks(level)), torch.cat(bit_by_bit.blocks(level)))


def test_many_descriptors_run_over_into_more_chunks():
    found = described(pictures(330, 1, 16), per_image=500)
    blocks = found.blocks(16)
    assert len(blocks) > 2
    assert sum(map(len, blocks)) == 330 * 500
    level = laplacian_pyramid(pictures(330, 1, 16)[329:].float() / 127.5 - 1)[0][0]
    rows, columns = places(0, np.array([329]), 16, 500)
    cut = level[:, rows[0, -1] : rows[0, -1] + 7, columns[0, -1] : columns[0, -1] + 7]
    assert torch.equal(blocks[-1][-1], cut.reshape(-1).half())


def test_places_are_everywhere_and_a_matter_of_seed_and_number():
    rows, columns = places(1, np.arange(3000), 16, 32)
    assert rows.shape == columns.shape == (3000, 32)
    counts = np.bincount(rows.ravel() * 10 + columns.ravel(), minlength=100)
    assert len(counts) == 100
    assert np.abs(counts / 960 - 1).max() < 0.15
    assert np.array_equal(places(1, np.array([7]), 16, 32)[0][0], rows[7])
    assert not np.array_equal(places(2, np.array([7]), 16, 32)[0][0], rows[7])
    assert len({tuple(row) for row in rows}) == 3000


def test_flat_pictures_are_at_0_of_themselves():
    flat = described(torch.zeros(4, 3, 32, 32, dtype=torch.uint8))
    assert swd(flat, flat) == {32: 0, 16: 0}
    assert mean(swd(flat, described(pictures(4, 1, 32)))) > 100


@pytest.mark.parametrize("resolution", [8, 48, 0])
def test_resolutions_without_a_pyramid(resolution):
    with pytest.raises(ValueError, match="power of two from 16"):
        Descriptors(resolution)


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="is wanted"):
        Descriptors(32).add(pictures(1, 1, 64))
    with pytest.raises(ValueError, match="empty"):
        swd(Descriptors(32), Descriptors(32))
    with pytest.raises(ValueError, match="can't be compared"):
        swd(Descriptors(32), Descriptors(64))
