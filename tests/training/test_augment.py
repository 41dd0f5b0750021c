"""Augmentation: each transformation by its figures, all of them by their shares, and the control of p."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gandream.training.augment import AUGMENTATIONS, Controller, ada, colour, diffaugment, geometry
from gandream.training.augment.adaptive import COLOUR, GEOMETRY, Draw
from gandream.training.augment.differentiable import cut_out, moved, recoloured

STEPS = {step.__name__: step for step in (*GEOMETRY, *COLOUR)}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int = 4, side: int = 16, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return 2 * torch.rand(count, 3, side, side, generator=seeded(seed), dtype=dtype) - 1


def soft(count: int, side: int, right: float = 0) -> Tensor:
    """Waves of 8 pixels and longer, moved to the right by some pixels; they go on beyond the edges as mirrored."""
    at = math.pi * (torch.arange(side, dtype=torch.float64) + 0.5) / side
    frequency = torch.arange(side // 4, dtype=torch.float64)[:, None]
    rows, columns = (frequency * at).cos(), (frequency * (at - math.pi * right / side)).cos()
    weights = torch.randn(count, 3, side // 4, side // 4, generator=seeded(3), dtype=torch.float64)
    return torch.einsum("ncij,iy,jx->ncyx", weights, rows, columns)


def every(value: float, count: int = 4) -> Tensor:
    return torch.full((count,), value, dtype=torch.float64)


# What holds for all of them


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_p_0_is_the_very_picture_and_draws_nothing(name):
    images, random = pictures(), seeded()
    before = random.get_state()
    assert AUGMENTATIONS[name](images, 0.0, random) is images
    assert AUGMENTATIONS[name](images, torch.tensor(0.0), random) is images
    assert torch.equal(random.get_state(), before)


@pytest.mark.parametrize("name", ["ada", "diffaugment"])
@pytest.mark.parametrize("side", [4, 8, 64])
def test_p_1_changes_every_picture_differently(name, side):
    images = pictures(1, side).expand(8, -1, -1, -1)
    found = AUGMENTATIONS[name](images, 1.0, seeded())
    assert found.shape == images.shape
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    others = [images[0], *found]
    assert all((a - b).abs().mean() > 0.05 for k, a in enumerate(others) for b in others[:k])


@pytest.mark.parametrize("name", ["ada", "diffaugment"])
def test_the_generator_decides_it_all(name):
    images, augmented = pictures(), AUGMENTATIONS[name]
    torch.manual_seed(1)
    first = augmented(images, 0.7, seeded(5))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    assert torch.equal(augmented(images, 0.7, seeded(5)), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(augmented(images, 0.7, seeded(6)), first)
    random = seeded(5)
    augmented(images, 0.7, random)
    assert not torch.equal(augmented(images, 0.7, random), first)


@pytest.mark.parametrize("name", ["ada", "diffaugment"])
@pytest.mark.parametrize("p", [0.3, 1.0])
def test_gradients_are_those_of_finite_differences(name, p):
    images = pictures(2, 5, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: AUGMENTATIONS[name](x, p, seeded(2)), (images,))
    (gradient,) = torch.autograd.grad(AUGMENTATIONS[name](images, p, seeded(2)).square().sum(), images)
    assert (gradient.flatten(1).norm(dim=1) > 0).all()


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
@pytest.mark.parametrize("name", ["ada", "diffaugment"])
def test_what_is_no_probability(name, p):
    with pytest.raises(ValueError, match="probability"):
        AUGMENTATIONS[name](pictures(), p, seeded())


@pytest.mark.parametrize("name", ["ada", "diffaugment"])
def test_the_order_in_memory_changes_nothing(name):
    images = pictures(8, 16)
    other = AUGMENTATIONS[name](images.to(memory_format=torch.channels_last), 0.8, seeded())
    assert torch.allclose(other, AUGMENTATIONS[name](images, 0.8, seeded()), atol=1e-6)


# Geometry


def mirrored(images: Tensor, axis: int) -> Tensor:
    """Pictures with their mirror images on both sides along an axis."""
    return torch.cat([images.flip(axis), images, images.flip(axis)], axis)


EXACT: dict[str, tuple[Tensor, Callable[[Tensor], Tensor]]] = {
    "flip": (geometry.scaled(every(-1), every(1)), lambda x: x.flip(3)),
    "upside down": (geometry.scaled(every(1), every(-1)), lambda x: x.flip(2)),
    **{
        f"{k} quarters": (
            geometry.quarter_turned(torch.full((4,), k)),
            lambda x, k=k: torch.rot90(x, k, (2, 3)),
        )
        for k in (1, 2, 3)
    },
    "right by 2, down by 3": (
        geometry.moved(every(2 / 16), every(3 / 16)),
        lambda x: mirrored(mirrored(x, 3).roll(2, 3), 2).roll(3, 2)[:, :, 16:32, 16:32],
    ),
    "flip, then a quarter": (
        geometry.scaled(every(-1), every(1)) @ geometry.quarter_turned(torch.ones(4, dtype=torch.int64)),
        lambda x: torch.rot90(x.flip(3), 1, (2, 3)),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_whole_pixels_stay_exact(name):
    matrix, wanted = EXACT[name]
    assert torch.equal(geometry.warp(pictures(), matrix), wanted(pictures()))


def test_far_beyond_the_edge_is_mirrored_again():
    images = pictures()
    assert torch.equal(geometry.warp(images, geometry.moved(every(2), every(-4))), images)
    assert torch.equal(geometry.warp(images, geometry.moved(every(1), every(0))), images.flip(3))


def test_pictures_that_stay_are_not_touched():
    images = pictures()
    matrix = geometry.turned(torch.tensor([0.0, 0.4, 0.0, -1.0], dtype=torch.float64))
    found = geometry.warp(images, matrix)
    assert [torch.equal(a, b) for a, b in zip(found, images, strict=True)] == [True, False, True, False]
    assert torch.equal(found[[1, 3]], geometry.warp(images[[1, 3]], matrix[[1, 3]]))
    assert geometry.warp(images, geometry.turned(every(0))) is images


def test_turns_agree_with_quarters_and_undo_each_other():
    images = soft(2, 32)
    quarter = geometry.warp(images, geometry.turned(every(math.pi / 2, 2)))
    assert torch.allclose(quarter, torch.rot90(images, 1, (2, 3)), atol=1e-9)
    back = geometry.turned(every(0.7, 2)) @ geometry.turned(every(-0.7, 2))
    assert torch.allclose(back, torch.eye(3, dtype=torch.float64).expand(2, 3, 3), atol=1e-15)


def test_moving_by_parts_of_a_pixel_follows_the_wave():
    images, wanted = soft(2, 32), soft(2, 32, right=0.37)
    found = geometry.warp(images, geometry.moved(every(0.37 / 32, 2), every(0, 2)))
    error = (found - wanted).square().mean().sqrt() / wanted.std()
    still = (images - wanted).square().mean().sqrt() / wanted.std()
    assert error < 0.015 < 0.1 < still


def test_scale_makes_content_larger():
    images = torch.zeros(1, 3, 32, 32)
    images[..., 12:20, 12:20] = 1
    for factor in (0.75, 1.5, 2.0):
        found = geometry.warp(images, geometry.scaled(every(factor, 1), every(factor, 1)))
        assert found[0, 0].sum() == pytest.approx(64 * factor**2, rel=0.02)
    wide = geometry.warp(images, geometry.scaled(every(2, 1), every(0.75, 1)))[0, 0]
    assert (wide.sum(0) > 3).sum() == 16
    assert (wide.sum(1) > 8).sum() == 6


def test_no_black_corners():
    images = torch.full((64, 3, 16, 16), 0.7)
    place = geometry.turned(every(0.6, 64)) @ geometry.moved(every(0.3, 64), every(-0.4, 64))
    assert torch.allclose(geometry.warp(images, place), images, atol=1e-6)


# Colour


def luma(images: Tensor) -> Tensor:
    return images.mean(1)


def test_hue_turns_around_the_greys():
    images = pictures(dtype=torch.float64)
    eye = torch.eye(4, dtype=torch.float64).expand(4, 4, 4)
    assert torch.allclose(colour.hue_turned(every(2 * math.pi)), eye, atol=1e-12)
    turned = colour.recolour(images, colour.hue_turned(every(1.1)))
    assert torch.allclose(luma(turned), luma(images), atol=1e-12)
    assert torch.allclose(turned.norm(dim=1), images.norm(dim=1), atol=1e-12)
    assert (turned - images).abs().mean() > 0.2
    third = colour.recolour(images, colour.hue_turned(every(2 * math.pi / 3)))
    assert torch.allclose(third, images.roll(1, 1), atol=1e-12), "red goes to green, green to blue, blue to red"


def test_saturation():
    images = pictures(dtype=torch.float64)
    grey = colour.recolour(images, colour.saturated(every(0)))
    assert torch.allclose(grey, luma(images)[:, None].expand_as(images), atol=1e-12)
    double = colour.recolour(images, colour.saturated(every(2)))
    assert torch.allclose(double - grey, 2 * (images - grey), atol=1e-12)


def test_brightness_and_contrast():
    images = pictures()
    by = torch.tensor([-0.5, 0.0, 0.25, 1.0], dtype=torch.float64)
    lighter = colour.recolour(images, colour.brightened(by))
    assert torch.allclose(lighter.mean((1, 2, 3)) - images.mean((1, 2, 3)), by.float(), atol=1e-6)
    assert torch.equal(lighter[1], images[1])
    assert torch.allclose(colour.recolour(images, colour.contrasted(every(1.7))), 1.7 * images, atol=1e-6)


def test_luma_flip_keeps_hue_and_saturation():
    images = pictures(dtype=torch.float64)
    flips = torch.tensor([True, False, True, True])
    found = colour.recolour(images, colour.luma_flipped(flips))
    assert torch.allclose(luma(found)[flips], -luma(images)[flips], atol=1e-12)
    assert torch.allclose(found - luma(found)[:, None], images - luma(images)[:, None], atol=1e-12)
    assert torch.equal(found[1], images[1])


# What is drawn


SHARES = {  # of p: a flip and a quarter turn may draw what changes nothing
    **dict.fromkeys(STEPS, 1.0),
    "flip": 1 / 2,
    "quarter_turn": 3 / 4,
    "luma_flip": 1 / 2,
    "pixels": 1 - (1 / 16) ** 2,  # of 64 pixels, -8..8, where both ends are half as likely as the others
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("p", [0.2, 0.7, 1.0])
def test_each_step_has_its_share(name, p):
    count = 20_000
    matrix = STEPS[name](Draw(count, 64, p, seeded(7)))
    eye = torch.eye(matrix.shape[-1], dtype=matrix.dtype)
    share = float((matrix != eye).flatten(1).any(1).double().mean())
    wanted = (1 - math.sqrt(1 - p) if name == "turn" else p) * SHARES[name]
    assert share == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / count) + 1e-9)


def test_two_turns_are_as_likely_as_one_other_step():
    draw = Draw(20_000, 64, 0.4, seeded(1))
    assert [step.__name__ for step in GEOMETRY].count("turn") == 2
    first, second = STEPS["turn"](draw), STEPS["turn"](draw)
    eye = torch.eye(3, dtype=torch.float64)
    share = float(((first != eye) | (second != eye)).flatten(1).any(1).double().mean())
    assert share == pytest.approx(0.4, abs=0.015)


def test_draws_have_the_ranges_of_the_paper():
    draw = Draw(50_000, 64, 1.0, seeded(2))
    size = 1 / STEPS["scale"](draw)[:, 0, 0]
    assert size.log2().std() == pytest.approx(0.2, rel=0.02)
    assert size.log2().mean() == pytest.approx(0, abs=0.005)
    stretched = 1 / STEPS["stretch"](draw)
    assert torch.allclose(stretched[:, 0, 0] * stretched[:, 1, 1], torch.tensor(1.0, dtype=torch.float64))
    assert stretched[:, 0, 0].log2().std() == pytest.approx(0.2, rel=0.02)
    blit = STEPS["pixels"](draw)[:, :2, 2] / 2 * 64
    assert torch.equal(blit, blit.round())
    assert blit.abs().max() == 8
    assert blit.var(0).tolist() == pytest.approx([(16**2 + 2) / 12] * 2, rel=0.03)
    assert (STEPS["shift"](draw)[:, :2, 2] / 2).std(0).tolist() == pytest.approx([0.125] * 2, rel=0.02)
    assert STEPS["brightness"](draw)[:, :3, 3].std(0).tolist() == pytest.approx([0.2] * 3, rel=0.02)
    assert STEPS["contrast"](draw)[:, 0, 0].log2().std() == pytest.approx(0.5, rel=0.02)
    saturation = STEPS["saturation"](draw)
    assert (saturation[:, 0, 0] - saturation[:, 0, 1]).log2().std() == pytest.approx(1, rel=0.02)
    turns = STEPS["turn"](draw)
    angles = torch.atan2(turns[:, 1, 0], turns[:, 0, 0])
    assert angles.std() == pytest.approx(math.pi / math.sqrt(3), rel=0.02)
    hue = STEPS["hue"](draw)
    circle = torch.atan2((hue[:, 1, 0] - hue[:, 0, 1]) * math.sqrt(3), 3 * hue[:, 0, 0] - 1)
    assert circle.std() == pytest.approx(math.pi / math.sqrt(3), rel=0.02)
    assert circle.mean() == pytest.approx(0, abs=0.04)
    flips = STEPS["flip"](draw)[:, 0, 0]
    assert sorted(flips.unique().tolist()) == [-1, 1]


def test_pictures_left_alone_are_as_many_as_they_should_be():
    p, count = 0.1, 4000
    images = pictures(1, 8).expand(count, -1, -1, -1)
    same = (ada(images, p, seeded(4)) == images).flatten(1).all(1)
    still = 1 - p * (1 - (1 / 2) ** 2)  # of 8 pixels, one axis moves by -1, 0 or 1, and by 0 half the time
    wanted = (1 - p / 2) ** 2 * (1 - 3 * p / 4) * still * (1 - p) ** 8
    assert float(same.double().mean()) == pytest.approx(wanted, abs=0.025)


def test_steps_are_done_in_the_order_of_the_paper():
    images, p = pictures(6, 16), 1.0
    draw = Draw(6, 16, p, seeded(8))
    matrices = [step(draw) for step in (*GEOMETRY, *COLOUR)]
    place, colours = torch.eye(3, dtype=torch.float64), torch.eye(4, dtype=torch.float64)
    for matrix in matrices[:8]:
        place = torch.linalg.inv(matrix) @ place  # a point of the source to where each step puts it
    for matrix in matrices[8:]:
        colours = matrix @ colours
    wanted = colour.recolour(geometry.warp(images, torch.linalg.inv(place)), colours)
    assert torch.allclose(ada(images, p, seeded(8)), wanted, atol=1e-4)


# DiffAugment


def test_colour_of_diffaugment_step_by_step():
    images = pictures(dtype=torch.float64)
    by, spread, contrast = every(0.3), every(1.6), every(0.6)
    wanted = images + 0.3
    wanted = (wanted - wanted.mean(1, keepdim=True)) * 1.6 + wanted.mean(1, keepdim=True)
    middle = wanted.mean((1, 2, 3), keepdim=True)
    wanted = (wanted - middle) * 0.6 + middle
    assert torch.allclose(recoloured(images, by, spread, contrast), wanted, atol=1e-12)


def test_translation_of_diffaugment_brings_in_0():
    images = pictures()
    found = moved(images, torch.tensor([[0, 0], [2, 0], [0, -1], [-1, 2]]))
    assert torch.equal(found[0], images[0])
    assert torch.equal(found[1][..., 2:], images[1][..., :-2])
    assert not found[1][..., :2].any()
    assert torch.equal(found[2][:, :-1], images[2][:, 1:])
    assert not found[2][:, -1:].any()
    assert torch.equal(found[3][:, 2:, :-1], images[3][:, :-2, 1:])


def test_cutout_is_half_as_wide_as_the_picture():
    cut = cut_out(torch.tensor([[8, 8], [0, 16], [4, 12]]), 16)
    assert cut.shape == (3, 1, 16, 16)
    assert cut.sum((1, 2, 3)).tolist() == [64, 16, 64]
    assert cut[0, 0, 4:12, 4:12].all()
    assert cut[1, 0, 12:, :4].all(), "x is the first"


def test_shares_and_ranges_of_diffaugment():
    count, side = 3000, 16
    images = torch.full((count, 3, side, side), 0.5)
    images[:, 0] = -0.1
    found = diffaugment(images, 0.3, seeded())
    changed = (found != images).flatten(1).any(1)
    assert float(changed.double().mean()) == pytest.approx(0.3, abs=0.035)
    assert torch.equal(found[~changed], images[~changed])
    every_one = diffaugment(images, 1.0, seeded(1))
    assert (every_one != images).flatten(1).any(1).all()
    covered = (every_one == 0).all(1).sum((1, 2))
    assert covered.max() == 8 * 8 + 16 * 16 - 14 * 14, "a square, and two pixels at two edges"
    assert covered.min() == 4 * 4, "a quarter of a square in a corner of a picture that stays"
    colours = every_one.sum((2, 3)) / (side * side - covered)[:, None]
    by = colours.mean(1) - 0.3  # contrast and saturation keep the mean
    assert by.aminmax().min == pytest.approx(-0.5, abs=0.01)
    assert by.aminmax().max == pytest.approx(0.5, abs=0.01)
    spread = (colours.amax(1) - colours.amin(1)) / 0.6
    assert spread.max() == pytest.approx(1.5 * 2, abs=0.1)
    assert spread.mean() == pytest.approx(1, abs=0.04)


# The control of p


def watch(controller: Controller, share: float, batch: int, steps: int) -> list[float]:
    """Steps with so large a share of positive logits."""
    found = []
    for _ in range(steps):
        controller.observe(torch.where(torch.arange(batch) < round(share * batch), 0.3, -2.0))
        controller.update(batch)
        found.append(controller.p)
    return found


def test_p_rises_at_the_speed_of_the_paper():
    controller = Controller(images_to_full=6400, highest=1.0)
    found = watch(controller, 1.0, 32, 200)
    assert found[2] == 0
    assert found[3] == pytest.approx(128 / 6400)
    assert found[4:7] == [found[3]] * 3
    assert found[99] == pytest.approx(0.5)
    assert found[199] == pytest.approx(1)
    assert controller.r == 1
    assert Controller().images_to_full == 500_000
    assert Controller().target == 0.6


def test_p_follows_the_sign_of_the_logits_against_the_target():
    up, down, there = (Controller(images_to_full=3200, p=0.5) for _ in range(3))
    watch(up, 0.9, 32, 8)
    watch(down, 0.75, 32, 8)
    assert up.r == pytest.approx(2 * 29 / 32 - 1)
    assert up.p == pytest.approx(0.5 + 256 / 3200)
    assert down.p == pytest.approx(0.5 - 256 / 3200), "more real than not, but below the target"
    watch(there, 0.8, 20, 8)
    assert there.r == pytest.approx(0.6)
    unsure = Controller(p=0.5)
    unsure.observe(torch.full((4,), math.nan))
    unsure.update(4000)
    assert unsure.p == 0.5


def test_p_stays_in_its_range():
    controller = Controller(images_to_full=500, highest=1.0)
    assert set(watch(controller, 0.0, 32, 40)) == {0}
    assert max(watch(controller, 1.0, 32, 80)) == controller.p == 1
    assert min(watch(controller, 0.0, 32, 80)) == controller.p == 0
    careful = Controller(images_to_full=500)
    assert max(watch(careful, 1.0, 32, 80)) == careful.p == 0.8


def test_update_once_for_several_batches_is_the_same():
    each, together = Controller(images_to_full=3200), Controller(images_to_full=3200)
    watch(each, 1.0, 32, 8)
    for _ in range(2):
        for _ in range(4):
            together.observe(torch.ones(32, requires_grad=True))
        together.update(128)
    assert each == together
    assert together.p > 0


@pytest.mark.parametrize("stop", [4, 5, 6, 7])
def test_restored_goes_on_exactly(stop):
    random = seeded(3)
    logits = [torch.randn(7, generator=random) + 0.8 for _ in range(16)]
    whole = Controller(images_to_full=700)
    part = Controller(images_to_full=700)
    for step, some in enumerate(logits):
        if step == stop:
            kept = json.loads(json.dumps(part.state()))
            part = Controller(images_to_full=700)
            part.restore(kept)
            assert part.state() == kept
        for controller in (whole, part):
            controller.observe(some)
            controller.update(7)
        assert part.p == whole.p
    assert whole.state() == part.state()
    assert whole.p > 0


def test_restored_from_p_alone():
    controller = Controller(images_to_full=3200)
    watch(controller, 1.0, 32, 7)
    controller.restore({"p": 0.25})
    assert controller == Controller(images_to_full=3200, p=0.25)
    with pytest.raises(KeyError):
        controller.restore({})
