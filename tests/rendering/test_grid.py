"""Grids: each cell shows what a film of its recipe shows, in its place; keys hold what is seen."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from gandream.base.errors import RecipeError
from gandream.models.registry import describe, load_generator
from gandream.recipe.cells import cells_of
from gandream.recipe.load import recipe_from
from gandream.rendering.grid import GridPainter, painter
from gandream.rendering.paint import Painter, cover, stretch
from gandream.rendering.plan import make_plan
from gandream.run.picture import picture_format
from gandream.trajectory.compose import compose
from gandream.trajectory.grid import LARGEST, GridTrajectory, Layout
from gandream.video.format import VideoFormat

GENERATOR = load_generator("cppn#7", "cpu")
SPEC = describe("cppn#7")
WALK = {"through": [1, 2, 3], "every": 1}


def recipe(grid, **words):
    video = {"duration": 4, "fps": 10, **words.pop("video", {})}
    return recipe_from({"model": "cppn#7", "walk": WALK, "video": video, "grid": grid, **words})


def planned(one, size=(96, 66), spec=SPEC):
    return make_plan(compose(one, spec).trajectory, VideoFormat(*size, Fraction(10)), "cpu")


def keys(grid, **words):
    return [segment.key for segment in planned(recipe(grid, **words)).segments]


class Small:
    """The same network with pictures of its own size, 24 high and 40 wide."""

    device = torch.device("cpu")

    def __init__(self) -> None:
        self.spec, self.w_avg, self.calls = replace(SPEC, size=(24, 40)), GENERATOR.w_avg, []

    def map(self, z, classes=None, psi=1.0):
        return GENERATOR.map(z, classes, psi)

    def synthesise(self, inputs, *, noise="fixed", size=None, **_):
        self.calls.append(len(inputs.w))
        return GENERATOR.synthesise(inputs, noise=noise, size=size or (24, 40))


@pytest.mark.parametrize(
    "words",
    [
        {"regions": {"from": 9, "where": "left"}},
        {},
        {"truncation": "0.7 + 0.1*column + 0.05*sin(t)*row"},
        {"push": {"random": 3, "by": "cell/cells"}},
        {"camera": {"zoom": "1 + 0.2*cell"}},
    ],
)
def test_each_cell_is_the_film_of_its_recipe(words):
    one = recipe({"columns": 3, "rows": 2, "vary": {"walk.through[0]": [4, 5, 6, 7, 8, 9]}, "gap": 0.1}, **words)
    plan = planned(one)
    paint = painter(plan, GENERATOR)
    assert isinstance(paint, GridPainter)
    film = paint.paint(7, 9)
    assert film.shape == (2, 3, 66, 96)
    high, wide = paint.size
    left = torch.ones(66, 96, dtype=torch.bool)
    for number, cell in enumerate(cells_of(one)):
        trajectory = compose(cell.recipe, SPEC).trajectory
        single = Painter(make_plan(trajectory, VideoFormat(wide, high, Fraction(10), subsampling="444"), "cpu"),
                         GENERATOR).paint(7, 9)  # fmt: skip
        top, at = paint.layout.corner(number, (66, 96))
        assert torch.allclose(film[:, :, top : top + high, at : at + wide], single, atol=1e-4)
        left[top : top + high, at : at + wide] = False
    assert (film[:, :, left] == -1).all(), "and nothing else"


def test_cells_are_resized_from_the_models_size():
    generator = Small()
    one = recipe({"vary": {"walk.through[0]": [4, 5]}, "gap": 0})
    paint = painter(planned(one, (64, 32), generator.spec), generator)
    film, cells = paint.paint(0, 3), list(cells_of(one))
    assert len(cells) == 2
    for number, cell in enumerate(cells):
        native = GENERATOR.synthesise(compose(cell.recipe, SPEC).trajectory.inputs(GENERATOR, 0, 3), size=(24, 40))
        shown = film[..., 32 * number : 32 * number + 32]
        assert torch.allclose(shown, cover(native, (32, 32)), atol=1e-4)
        assert not torch.allclose(shown, stretch(native, (32, 32)), atol=1e-2)


def test_pictures_of_several_cells_are_made_in_one_call():
    generator = Small()
    painter(planned(recipe({"columns": 3, "rows": 3}), (96, 96), generator.spec), generator).paint(0, 1)
    assert generator.calls == [8, 1]


def test_any_range_alone():
    paint = painter(planned(recipe({"columns": 2, "labels": True}, truncation="0.5 + 0.3*column + 0.1*t")), GENERATOR)
    whole = paint.paint(0, 4)
    again = painter(paint.plan, GENERATOR)
    assert torch.allclose(again.paint(3, 4), whole[3:], atol=1e-5)
    assert torch.equal(again.paint(0, 4), whole)


def test_labels_are_in_their_cells():
    plain, labelled = (
        painter(planned(recipe({"columns": 2, "labels": labels}), (200, 110)), GENERATOR).paint(0, 1)
        for labels in (False, ["A", "B"])
    )
    changed = (plain != labelled)[0].any(0)
    paint = painter(planned(recipe({"columns": 2}), (200, 110)), GENERATOR)
    for number in range(2):
        top, left = paint.layout.corner(number, (110, 200))
        high, wide = paint.size
        cell = changed[top : top + high, left : left + wide]
        assert cell[high // 2 :, : wide // 2].any()
        cell[high // 2 :, : wide // 2] = False
    assert not changed.any()


@pytest.mark.parametrize("frame", [(66, 96), (100, 100), (1080, 1920), (31, 307)])
@pytest.mark.parametrize("gap", [0, 0.05, 0.5])
@pytest.mark.parametrize(("columns", "rows"), [(3, 2), (1, 5), (7, 1)])
def test_cells_are_of_one_size_and_apart(frame, gap, columns, rows):
    layout = Layout(columns, rows, gap, (0, 0, 0))
    high, wide = layout.cell(frame)
    seen = np.zeros(frame, int)
    for number in range(columns * rows):
        top, left = layout.corner(number, frame)
        assert top + high <= frame[0]
        assert left + wide <= frame[1]
        seen[top : top + high, left : left + wide] += 1
    assert seen.max() == 1
    assert seen.sum() == columns * rows * high * wide
    free = (seen.max(1) == 0).sum()
    if gap * high * (columns + 1) < frame[1] / 3:  # else less, so that something is left of the cells
        assert abs(free - gap * high * (rows + 1)) <= 2 * rows + 2


def test_the_film_is_as_large_as_its_cells_unless_that_is_too_large():
    def size(grid, native=None, **video):
        fmt, warnings = picture_format(recipe(grid, video=video), replace(SPEC, size=native))
        assert not warnings
        return fmt.width, fmt.height

    assert size({"columns": 3, "rows": 2, "gap": 0}, (64, 128)) == (384, 128)
    assert size({"columns": 3, "rows": 2, "gap": 0.25}, (64, 128)) == (448, 176)
    assert size({"columns": 3, "rows": 2}, (64, 64), size="640x360") == (640, 360)
    wide, high = size({"columns": 4, "rows": 2, "gap": 0}, (1024, 1024))
    assert (wide, high) == (LARGEST, LARGEST // 2)
    wide, high = size({"columns": 8, "rows": 8, "gap": 0.1})
    assert max(wide, high) <= LARGEST
    assert min(wide, high) > 0.97 * LARGEST


def test_keys_hold_every_cell_and_the_layout():
    base = {"vary": {"truncation": [0.5, 0.7]}}
    before = keys(base)
    assert before == keys(base)
    late = keys({"vary": {"truncation": [0.5, "0.7 + 0.1*(t > 3)"]}})
    assert late[0] == before[0]
    assert late[1] != before[1]
    for word, value in (("gap", 0.1), ("colour", "red"), ("labels", True), ("rows", 2)):
        assert keys({**base, word: value})[0] != before[0]
    one, other = (keys({**base, "labels": labels})[0] for labels in (["a", "b"], ["a", "c"]))
    assert one != other


def test_a_wave_across_the_grid():
    one = recipe({"columns": 4, "rows": 2}, truncation="0.5 + 0.4*sin(2*pi*(t/4 - column/columns)) + row/rows")
    trajectory = compose(one, SPEC).trajectory
    assert isinstance(trajectory, GridTrajectory)
    t = np.arange(40) / 10
    for number, cell in enumerate(trajectory.cells):
        row, column = divmod(number, 4)
        np.testing.assert_allclose(cell.psi, 0.5 + 0.4 * np.sin(2 * np.pi * (t / 4 - column / 4)) + row / 2)


def test_the_film_is_as_long_as_its_longest_walk():
    one = recipe_from({"model": "cppn#7", "grid": {"walks": [{"through": [1, 2], "every": 1}, {"through": [1, 2, 3]}]}})
    two = recipe_from({"model": "cppn#7", "walk": {"through": [1, 2, 3]}})
    assert compose(one, SPEC).trajectory.frames == compose(two, SPEC).trajectory.frames


def test_cells_that_are_all_alike_are_told():
    (warning,) = compose(recipe({"seeds": [1, 2]}), SPEC).warnings
    assert "all cells are the same" in warning
    assert compose(recipe({"seeds": [1, 2]}, walk="wander"), SPEC).warnings == ()
    assert compose(recipe({"columns": 2}, truncation="0.5 + 0.1*column"), SPEC).warnings == ()


def test_outside_grids_a_cell_is_the_only_one():
    one = recipe_from({"model": "cppn#7", "walk": WALK, "truncation": "cell + column + row + cells*columns*rows"})
    assert set(compose(one, SPEC).trajectory.psi) == {1.0}


CONDITIONAL = replace(SPEC, classes=("cat", "dog", "owl"))


def test_what_each_cell_says_need_not_be_said_for_all():
    said = recipe({"columns": 2, "rows": 1, "vary": {"classes": ["cat", "owl"]}})
    both = compose(said, CONDITIONAL).trajectory
    assert isinstance(both, GridTrajectory)
    assert [np.unique([place.class_ for place in cell.places()]).tolist() for cell in both.cells] == [[0], [2]]


def test_a_mistake_that_all_cells_share_is_told():
    with pytest.raises(RecipeError, match="this latent names none"):
        compose(recipe({"seeds": [1, 2]}), CONDITIONAL)


def test_smaller_batches_are_those_of_the_cells_too():
    one = recipe({"vary": {"walk.through[0]": [4, 5, 6, 7]}, "gap": 0})
    plan, seen = planned(one, (64, 32), Small().spec), {}
    for part in (1, 2, 8):
        generator = Small()
        seen[part] = painter(replace(plan, batch=plan.batch // part), generator).paint(0, 4)
        assert max(generator.calls) == 8 // part
    assert torch.allclose(seen[8], seen[1], atol=1e-5)
