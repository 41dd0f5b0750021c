"""Each effect's defining property, on synthetic pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pictures import ENTRIES, done, made_chain, shown

from gandream.effects.colour import LUMA, luma
from gandream.effects.gaussian import gaussian
from gandream.recipe.effects import EFFECTS
from gandream.recipe.ranges import ranges

RESTING = [
    {name: bound.idle} for name, kind in EFFECTS.items() if (bound := ranges(kind).get(name)) and bound.idle is not None
]


def flat(*rgb: float, size: tuple[int, int] = (32, 48)) -> torch.Tensor:
    """A picture of one colour, from values in [0, 1]."""
    return (torch.tensor(rgb)[None, :, None, None] * 2 - 1).expand(1, 3, *size).contiguous()


def light(images: torch.Tensor) -> list[float]:
    """The display values in [0, 1] of a flat picture."""
    return ((images[0, :, 5, 5] + 1) / 2).tolist()


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_every_effect_shows_and_keeps_the_range(noise, entry):
    film = torch.cat([noise, noise.flip(3)] * 2)
    before = film.clone()
    out = done(film, entry)
    assert out.shape == film.shape
    assert out.dtype == torch.float32
    assert out.min() >= -1
    assert out.max() <= 1
    assert not torch.equal(out, film)
    assert torch.equal(film, before), "pictures given to effects aren't written into"


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_pictures_beyond_the_range_are_shown_as_its_ends(noise, entry):
    out = done(noise * 1.5, entry)
    assert torch.equal(out, done((noise * 1.5).clamp(-1, 1), entry))


@pytest.mark.parametrize("entry", RESTING, ids=str)
def test_at_rest_nothing_is_done(noise, entry):
    chain = made_chain(entry)
    assert chain.links == ()
    assert chain.key(0, 100) == []
    assert done(noise * 2, entry) is not None
    assert torch.equal(done(noise * 2, entry), noise * 2)


def test_every_effect_with_a_resting_point_is_tested():
    assert {name for entry in RESTING for name in entry} == set(EFFECTS) - {"mirror", "text", "image", "mask"}


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_alpha(noise, entry):
    alpha = torch.full((3, 1, 48, 64), 0.25)
    out = done(torch.cat([noise, alpha], 1), entry)
    assert torch.allclose(out[:, 3:], alpha, atol=1e-5)
    assert torch.equal(out[:, :3], done(noise, entry))


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.7])
def test_contrast_is_pillows(noise, factor):
    from PIL import Image, ImageEnhance

    codes = shown(noise * 0.7)[:1]
    wanted = np.asarray(ImageEnhance.Contrast(Image.fromarray(codes[0])).enhance(factor)).astype(int)
    images = torch.from_numpy(codes).permute(0, 3, 1, 2) / 127.5 - 1
    mine = shown(done(images, {"contrast": factor}))[0].astype(int)
    assert np.abs(mine - wanted).max() <= 1


def test_contrast_about_grey():
    assert light(done(flat(0.5, 0.6, 0.3), {"contrast": 2, "about": "grey"})) == pytest.approx([0.5, 0.7, 0.1])


def test_brightness_is_light():
    before, after = (np.array(light(picture)) ** 2.4 for picture in _with(flat(0.2, 0.3, 0.5), {"brightness": 2}))
    assert after == pytest.approx(2 * before, rel=1e-4)


def _with(picture, *effects):
    return picture, done(picture, *effects)


def test_saturation_keeps_luma(ramp):
    grey = done(ramp, {"saturation": 0})
    assert torch.allclose(grey, luma(ramp).expand(-1, 3, -1, -1), atol=1e-5)
    assert torch.allclose(luma(done(ramp * 0.3, {"saturation": 1.5})), luma(ramp * 0.3), atol=1e-5)


@pytest.mark.parametrize("degrees", [30, 90, 180, 250])
def test_hue_keeps_luma_and_greys(noise, degrees):
    assert torch.allclose(luma(done(noise, {"hue": degrees})), luma(noise), atol=1e-5)
    assert light(done(flat(0.4, 0.4, 0.4), {"hue": degrees})) == pytest.approx([0.4] * 3, abs=1e-6)


def test_hue_turns(noise):
    mild = noise * 0.2
    there_and_back = done(done(mild, {"hue": 130}), {"hue": -130})
    assert torch.allclose(there_and_back, mild, atol=1e-5)
    assert made_chain({"hue": 360}).links == ()
    red, green, blue = light(done(flat(0.6, 0.2, 0.2), {"hue": 60}))
    assert red > blue
    assert green > blue  # red has become yellow


def test_flash():
    assert light(done(flat(0.2, 0.4, 0.6), {"flash": 0.5})) == pytest.approx([0.6, 0.7, 0.8])
    assert light(done(flat(0.2, 0.4, 0.6), {"flash": 1, "colour": "gold"})) == pytest.approx([1, 200 / 255, 60 / 255])


def test_flash_that_burns_is_lucids(ramp):
    """`skimage.exposure.rescale_intensity(image, in_range=(0, 255 - amplitude * strength * 255))`."""
    values = (ramp + 1) / 2
    wanted = (values / (1 - 0.4)).clamp(0, 1)
    assert torch.allclose((done(ramp, {"flash": 0.4, "mode": "burn"}) + 1) / 2, wanted, atol=1e-6)
    assert torch.equal(done(ramp, {"flash": 1, "mode": "burn"}).amax(), torch.tensor(1.0))


def test_invert(noise):
    assert torch.equal(done(noise, "invert"), -noise)
    assert torch.count_nonzero(done(noise, {"invert": 0.5})) == 0


def test_gamma():
    assert light(done(flat(0.25, 0, 1), {"gamma": 2})) == pytest.approx([0.5, 0, 1])


def test_auto_levels(noise):
    dull = noise * 0.25 + 0.5
    out = done(dull, "auto_levels")
    assert out.amin(dim=(1, 2, 3)).tolist() == pytest.approx([-1] * 3, abs=1e-5)
    assert out.amax(dim=(1, 2, 3)).tolist() == pytest.approx([1] * 3, abs=1e-5)
    assert torch.allclose(done(dull, {"auto_levels": 0.5}), (out + dull) / 2, atol=1e-5)
    assert torch.equal(done(flat(0.3, 0.3, 0.3), "auto_levels"), flat(0.3, 0.3, 0.3))


def test_posterise(ramp):
    values = done(ramp, {"posterise": 4}).unique().tolist()
    assert values == pytest.approx([-1, -1 / 3, 1 / 3, 1], abs=1e-6)


def test_fade():
    white = torch.ones(60, 3, 4, 4)
    levels = (done(white, {"fade": "both", "over": "0.5s"}, frames=60).mean((1, 2, 3)) + 1) / 2
    assert levels[0] == levels[-1] == 0
    assert (levels[15:45] == 1).all()
    assert torch.allclose(levels, levels.flip(0), atol=1e-6)
    assert (levels[:15].diff() > 0).all()
    assert made_chain({"fade": "in"}, frames=60).key(30, 60) == []
    assert light(done(flat(1, 1, 1), {"fade": 0.25, "colour": "red"})) == pytest.approx([1, 0.75, 0.75])


def test_vignette():
    out = done(flat(0.8, 0.8, 0.8, size=(63, 97)), {"vignette": 1})[0, 0]
    assert out[31, 48] == pytest.approx(0.6)
    assert out[0, 0] < -0.9
    assert torch.allclose(out, out.flip(0), atol=1e-6)
    assert (out[31, 48:].diff() <= 1e-6).all()


def test_grain_statistics():
    grey = flat(0.5, 0.5, 0.5, size=(256, 256)).expand(4, -1, -1, -1)
    out = done(grey, {"grain": 0.1, "size": 20})  # of 2.6 pixels: hardly weakened by them
    assert out.mean().abs() < 0.01
    assert (out.std() / 2).item() == pytest.approx(0.1, rel=0.05)
    assert torch.equal(out[:, 0], out[:, 2])
    assert torch.corrcoef(out[:, 0].reshape(4, -1)).fill_diagonal_(0).abs().max() < 0.1
    fine = done(grey, {"grain": 0.1, "size": 1.5})[0, 0]
    coarse = out[0, 0]
    assert _neighbours(fine) < 0.1 < 0.7 < _neighbours(coarse)


def _neighbours(plane: torch.Tensor) -> float:
    return torch.corrcoef(torch.stack([plane[:, 1:].flatten(), plane[:, :-1].flatten()]))[0, 1].item()


def test_grain_is_a_function_of_seed_and_frame(noise):
    frames = torch.zeros(6, 3, 16, 16)
    film = done(frames, "grain")
    assert torch.equal(film[4:], done(frames[:2], "grain", first=4))
    assert len({frame.numpy().tobytes() for frame in film}) == 6
    assert not torch.equal(film, done(frames, "grain", seed=1))
    assert torch.equal(done(frames, {"grain": 0.1, "seed": 5}), done(frames, {"grain": 0.1, "seed": 5}, seed=1))
    coloured = done(frames, {"grain": 0.1, "coloured": True})
    assert not torch.equal(coloured[:, 0], coloured[:, 1])


@pytest.mark.parametrize("sigma", [0.6, 1.5, 3.9, 4.1, 7.9, 8.1, 20.0, 33.0])
def test_gaussian_is_one(sigma):
    impulse = torch.zeros(1, 1, 255, 257)
    impulse[0, 0, 127, 128] = 1
    out = gaussian(impulse, [sigma])
    y, x = torch.arange(255.0) - 127, torch.arange(257.0) - 128
    wanted = torch.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * sigma**2))
    wanted /= wanted.sum()
    assert out.sum().item() == pytest.approx(1, abs=1e-3)
    assert (out[0, 0] - wanted).abs().max() < 0.035 * wanted.max()
    step = torch.ones(1, 1, 255, 257)
    step[..., :128] = -1
    edge = gaussian(step, [sigma])[0, 0, 100]
    ideal = torch.erf((x + 0.5) / (sigma * 2**0.5))
    assert (edge - ideal)[40:-40].abs().max() < (0.01 if sigma > 1 else 0.1)  # of a step of 2


def test_blur_and_sharpen_leave_flat_pictures_alone(noise):
    picture = flat(0.2, 0.5, 0.9)
    for effect in ("blur", "sharpen", {"blur": 0.4}):
        assert torch.allclose(done(picture, effect), picture, atol=1e-5)
    assert done(noise, {"blur": 0.05}).std() < 0.3 * noise.std()
    assert done(noise * 0.3, {"sharpen": 1, "radius": 0.02}).std() > 1.2 * (noise * 0.3).std()


def test_glow_spreads_light_of_bright_things_only():
    night = torch.full((1, 3, 64, 64), -1.0)
    night[..., 30:34, 30:34] = 1
    out = done(night, {"glow": 2, "radius": 0.05})
    assert (out >= night - 1e-6).all()
    assert out[0, 0, 32, 38] > out[0, 0, 32, 44] > -1
    dim = flat(0.4, 0.4, 0.4)
    assert torch.allclose(done(dim, {"glow": 2, "threshold": 0.5}), dim, atol=1e-6)


def test_mirror(noise):
    out = done(noise, "mirror")
    assert torch.equal(out, out.flip(3))
    assert torch.equal(out[..., :32], noise[..., :32])
    out = done(noise[..., :63], {"mirror": "both"})
    assert torch.equal(out, out.flip(3))
    assert torch.equal(out, out.flip(2))


@pytest.mark.parametrize("sectors", [2, 3, 6])
def test_kaleidoscope_has_its_symmetry(ramp, sectors):
    square = torch.nn.functional.interpolate(ramp, (65, 65), mode="bilinear")
    out = done(square, {"kaleidoscope": sectors, "angle": 17, "x": 0.2})
    assert torch.allclose(out, out.flip(3), atol=1e-4)
    turned = done(out, {"rotate": 360 / sectors})
    disc = (torch.linspace(-1, 1, 65)[:, None] ** 2 + torch.linspace(-1, 1, 65)[None] ** 2) < 0.8
    assert ((turned - out).abs() * disc).mean() < 0.01


def test_right_angles_are_exact(noise):
    square = noise[..., :48]
    assert torch.allclose(done(square, {"rotate": 90}), square.rot90(-1, (2, 3)), atol=1e-4)
    assert torch.allclose(done(noise, {"rotate": 180}), noise.flip(2, 3), atol=1e-4)
    assert made_chain({"rotate": -720}).links == ()


def test_pan_moves_right_and_up(noise):
    out = done(noise, {"pan": 0.25, "up": 0.5})
    assert torch.allclose(out[:, :, :24, 16:], noise[:, :, 24:, :48], atol=1e-4)
    assert torch.allclose(out[:, :, :24, :16], noise[:, :, 24:, :16].flip(3), atol=1e-4)  # mirrored at the edge
    assert made_chain({"pan": 2}).links == ()


def test_zoom_enlarges_about_a_place(ramp):
    out = done(ramp, {"zoom": 2})
    assert out[0, 0, 24, 48] == pytest.approx(ramp[0, 0, 24, 40].item(), abs=0.02)
    corner = done(ramp, {"zoom": 2, "x": 1, "y": 1})
    assert corner[0, :2, 0, 63].tolist() == pytest.approx(ramp[0, :2, 0, 63].tolist(), abs=0.03)
    small = done(ramp, {"zoom": 0.5})  # and left and right of it its reflections
    assert torch.allclose(small[..., :16].flip(3), small[..., 16:32], atol=0.01)


def test_pixelate(ramp):
    out = done(ramp, {"pixelate": 1 / 6})
    blocks = out.reshape(1, 3, 6, 8, 8, 8)
    assert (blocks.amax((3, 5)) - blocks.amin((3, 5))).max() < 1e-6
    assert torch.allclose(out[..., :8, :8].mean((2, 3)), ramp[..., :8, :8].mean((2, 3)), atol=1e-6)


def test_aberration_parts_red_and_blue_at_the_edges(noise):
    grey = torch.nn.functional.interpolate(luma(noise), (49, 65), mode="bilinear").expand(-1, 3, -1, -1)
    out = done(grey, {"aberration": 0.02})
    parted = (out[:, 0] - out[:, 2]).abs().mean(0)
    assert torch.equal(out[:, 1], grey[:, 1])
    assert parted[24, 32] < 1e-3 < parted[:, :5].mean()


def test_luma_weighs_whole():
    assert sum(LUMA) == pytest.approx(1)
