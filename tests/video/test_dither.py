"""Planes of more bits: exact, dithered from what is between two codes, the same in any batch."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from gandream.video.colour import _convert, frame_bytes, planes
from gandream.video.dither import SIDE, noise, pattern
from gandream.video.format import VideoFormat

CPU = torch.device("cpu")


def test_the_pattern_is_even_and_blue():
    values = pattern()
    assert np.array_equal(np.sort(values.ravel()), ((np.arange(SIDE**2) + 0.5) / SIDE**2 - 0.5).astype(np.float32))
    power = np.abs(np.fft.fftshift(np.fft.fft2(values))) ** 2
    down, across = np.mgrid[-SIDE // 2 : SIDE // 2, -SIDE // 2 : SIDE // 2]
    radius = np.hypot(down, across)
    assert power[radius < SIDE / 6].mean() < 0.01 * power.mean()


def test_frames_have_patterns_of_their_own_and_continue_past_the_edges():
    one = noise(range(5, 6), 0, range(300), 200, CPU)[0]
    assert torch.equal(one[:SIDE, :72], one[SIDE : 2 * SIDE, SIDE:200])
    assert torch.equal(one[40:90], noise(range(5, 6), 0, range(40, 90), 200, CPU)[0])
    many = [
        noise(range(frame, frame + 1), plane, range(SIDE), SIDE, CPU)[0] for frame in range(60) for plane in (0, 1, 2)
    ]
    close = [(a * b).mean() / (a * a).mean() for at, a in enumerate(many) for b in many[at + 1 : at + 7]]
    assert max(abs(float(one)) for one in close) < 0.1
    # Over time a place sees all of them, so that a still value is right on average.
    assert abs(torch.stack(many[::3]).mean(0)).max() < 0.25


@pytest.mark.parametrize("sub", ["420", "422", "444"])
def test_ten_bits_hold_what_lies_between_codes(sub):
    """A slow dark ramp: each code within half a step of the noise, and right on average over a small place."""
    size = 256
    ramp = torch.linspace(-0.96, -0.94, size).expand(1, 3, size, size)
    codes = planes(ramp, sub, 10).view(torch.uint16).to(torch.float64)[0, : size * size].view(size, size)
    exact = (219 * (ramp[0, 0].double() + 1) / 2 + 16) * 4
    assert (codes - exact).abs().max() < 1.001
    assert (codes - exact).abs().mean() > 0.2, "it is dithered"
    places = torch.nn.functional.avg_pool2d((codes - exact)[None, None], 16)
    assert places.abs().max() < 0.06
    plain = torch.nn.functional.avg_pool2d((exact.round() - exact)[None, None], 16)
    assert plain.abs().max() > 0.15, "without dither it would be steps"


def test_ten_bits_are_bt709():
    """Tables 3.2 to 3.5 in float64: four times the codes of 8 bits, to a code of dither; on average, exactly."""
    rng = np.random.default_rng(1)
    rgb = rng.uniform(0, 1, (3, 64, 64))
    got = planes(torch.tensor(rgb * 2 - 1, dtype=torch.float32)[None], "444", 10).view(torch.uint16).numpy()
    y = np.tensordot([0.2126, 0.7152, 0.0722], rgb, 1)
    exact = np.stack([219 * y + 16, 224 * (rgb[2] - y) / 1.8556 + 128, 224 * (rgb[0] - y) / 1.5748 + 128]) * 4
    error = got.reshape(3, 64, 64) - exact
    assert np.abs(error).max() < 1.001
    assert np.abs(error.mean((1, 2))).max() < 0.03


@pytest.mark.parametrize("sub", ["420", "422", "444"])
def test_what_lies_on_a_code_stays(sub):
    """Black beside a picture has no noise."""
    colours = torch.tensor([[-1.0, -1, -1], [1, 1, 1]]).view(2, 3, 1, 1).expand(2, 3, 64, 64)
    codes = planes(colours, sub, 10).view(torch.uint16).to(torch.int64)
    assert codes[0].unique().tolist() == [64, 512]
    assert codes[1].unique().tolist() == [512, 940]


def test_422_is_the_mean_across():
    rng = np.random.default_rng(3)
    rgb = rng.uniform(0, 1, (3, 18, 44))
    got = planes(torch.tensor(rgb * 2 - 1, dtype=torch.float32)[None], "422").numpy()[0]
    blue = 224 * (rgb[2] - np.tensordot([0.2126, 0.7152, 0.0722], rgb, 1)) / 1.8556 + 128
    wide = np.pad(blue, ((0, 0), (1, 1)), mode="edge")
    wanted = (wide[:, 0:-2:2] + 2 * wide[:, 1:-1:2] + wide[:, 2::2]) / 4
    assert np.abs(got[18 * 44 : 18 * 66].reshape(18, 22) - wanted).max() < 0.5 + 1e-4


@pytest.mark.parametrize("depth", [8, 16])
def test_rgb_planes_are_display_values_and_alpha_is_the_last(depth):
    pictures = torch.rand(2, 4, 10, 14, generator=torch.Generator().manual_seed(0)) * 2.2 - 1.1
    largest = 2**depth - 1
    made = planes(pictures, "rgb", depth, alpha=True)
    codes = (made if depth == 8 else made.view(torch.uint16)).to(torch.float64).view(2, 4, 10, 14)
    wanted = (pictures.double().clamp(-1, 1) + 1) / 2 * largest
    assert (codes - wanted[:, [1, 2, 0, 3]]).abs().max() <= 0.5 + 0.01
    yuva = planes(pictures, "420", depth if depth == 8 else 10, alpha=True)
    opacity = (yuva if depth == 8 else yuva.view(torch.uint16)).to(torch.float64)[:, -140:].view(2, 10, 14)
    assert (opacity - wanted[:, 3] * (largest if depth == 8 else 1023) / largest).abs().max() <= 0.51


@pytest.mark.parametrize(("sub", "depth", "alpha"), [("420", 10, True), ("422", 10, False), ("444", 10, True),
                                                     ("rgb", 16, True)])  # fmt: skip
def test_bytes_depend_on_neither_batch_nor_strips(sub, depth, alpha, monkeypatch):
    from gandream.video import colour

    pictures = torch.rand(5, 3 + alpha, 66, 130, generator=torch.Generator().manual_seed(3)) * 2.4 - 1.2
    together = planes(pictures, sub, depth, alpha, 7)
    monkeypatch.setattr(colour, "STRIP", 1000)
    alone = torch.cat([planes(picture[None], sub, depth, alpha, 7 + at) for at, picture in enumerate(pictures)])
    assert torch.equal(together, alone)
    # What a GPU takes: the whole batch at once.
    whole = torch.empty_like(together)
    values, at, parts = whole.view(torch.uint16), 0, []
    high, wide = (33 if sub == "420" else 66), (65 if sub in ("420", "422") else 130)
    for rows, columns in [(66, 130), (high, wide), (high, wide), (66, 130)][: 3 + alpha]:
        parts.append(values[:, at : at + rows * columns].view(5, rows, columns))
        at += rows * columns
    _convert(pictures, parts, sub, depth, range(7, 12), 0)
    assert torch.equal(together, whole)


def test_formats_that_are_not():
    several: tuple[dict[str, Any], ...] = (
        {"depth": 12},
        {"codec": "prores"},
        {"codec": "av1", "subsampling": "422"},
        {"alpha": True},
    )
    for changes in several:
        with pytest.raises(ValueError, match="has no"):
            VideoFormat(64, 48, Fraction(25), **changes)
    with pytest.raises(ValueError, match="4:2:2 wants even"):
        frame_bytes(63, 48, "422")
    assert frame_bytes(64, 47, "422", 10, True) == 64 * 47 * 6
