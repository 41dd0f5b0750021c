"""What makes each of the painted shapes and patterns what it is."""

from __future__ import annotations

import math

import pytest
import torch

from gandream.training.dreams import patterns, schemes, shapes
from gandream.training.dreams.draws import Draws
from gandream.training.dreams.fields import grid, rotate
from gandream.training.dreams.stream import Painter


def draws(count: int = 8, seed: int = 3) -> Draws:
    return Draws(seed, torch.arange(count))


def test_rosettes_are_n_fold() -> None:
    """Each picture is its own copy when turned by 2 pi / n for its n (a ten-fold one also for five) alone."""
    x, y = grid(32)
    straight = patterns.rosettes(draws(), x, y)
    change = []
    for fold in range(5, 13):
        turned = rotate(x, y, torch.tensor([2 * math.pi / fold]))
        change.append((patterns.rosettes(draws(), *turned) - straight).abs().amax((1, 2, 3)))
    same = torch.stack(change) < 5e-3  # [folds, N]
    assert same.any(0).all()
    assert (same.sum(0) <= 2).all()
    assert same.any(1).sum() >= 3  # they don't all have the same n


def test_voronoi_finds_panes_and_seams() -> None:
    """Against the definition: distances to all sites, and to the bisectors of all pairs."""
    sites = torch.rand(2, shapes.PANES, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    x, y = grid(24)
    nearest, far, edge = shapes._voronoi(sites, x, y)
    places = torch.stack([x, y], -1).double().flatten(1, 2)
    squares = torch.cdist(places.expand(2, -1, -1), sites.double()).square()  # [N, R R, PANES]
    least, index = squares.min(-1)
    assert (nearest.flatten(1) == index).all()
    torch.testing.assert_close(far.flatten(1).double(), least, atol=1e-5, rtol=0)
    apart = torch.cdist(sites.double(), sites.double()).gather(1, index[..., None].expand_as(squares))
    bisectors = ((squares - least[..., None]) / (2 * apart)).scatter(2, index[..., None], math.inf)
    torch.testing.assert_close(edge.flatten(1).double(), bisectors.amin(-1), atol=1e-4, rtol=0)


def test_windows_have_dark_seams_between_bright_panes() -> None:
    light = shapes.glass(draws(16), *grid(128)).amax(1).flatten(1)
    assert ((light < 0.25).float().mean(1) > 0.025).all()
    assert ((light > 0.5).float().mean(1) > 0.25).all()


def test_windows_have_eight_panes_or_more() -> None:
    x, y = grid(32)
    sites = shapes._sites(draws(64))
    panes = torch.tensor([len(row.unique()) for row in shapes._voronoi(sites, x, y)[0]])
    assert panes.min() >= 7
    assert panes.float().mean() > 10


def test_spheres_are_inside_the_frame() -> None:
    centre, radius = shapes._places(draws(64))
    used = centre[..., 0] < shapes.AWAY
    reach = centre.abs().amax(-1) + radius
    assert (reach[used] <= 1.0).all()
    assert (used.sum(1) >= 3).all()
    assert used.sum(1).max() == shapes.ORBS
    assert (radius[:, 0] > radius[:, -1]).all()


def test_ripples_have_deep_troughs_and_bright_crests() -> None:
    light = shapes.ripples(draws(16), *grid(64)).mean(1).flatten(1)
    assert (light.quantile(0.95, 1) - light.quantile(0.05, 1) > 0.15).all()


def test_flowers_glow_from_the_heart() -> None:
    light = patterns.bloom(draws(16), *grid(64)).mean(1)
    heart = light[:, 24:40, 24:40].mean((1, 2))
    corners = torch.stack([light[:, :8, :8], light[:, -8:, :8], light[:, :8, -8:], light[:, -8:, -8:]]).mean((0, 2, 3))
    assert (heart > 1.5 * corners).all()


@pytest.mark.parametrize("painter", [shapes.glass, shapes.ripples, shapes.orbs, patterns.rosettes, patterns.bloom])
def test_a_picture_depends_on_its_own_draws_alone(painter: Painter) -> None:
    x, y = grid(32)
    together = painter(draws(6), x, y)
    alone = painter(Draws(3, torch.tensor([4])), x, y)
    torch.testing.assert_close(together[4:5], alone, atol=2e-4, rtol=0)
    assert together.amin() >= 0.0
    assert together.amax() <= 1.0


def test_all_schemes_come_up() -> None:
    """The lightest colours lead in each of the channels somewhere."""
    palette = schemes.scheme(draws(64), dark=0.2, light=0.85)
    middle = palette.colour(2)
    assert set(middle.argmax(-1).tolist()) == {0, 1, 2}
    assert (palette.colour(-1).sum(-1) > palette.colour(0).sum(-1)).all()
