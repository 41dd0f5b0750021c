"""What a grid is said to need: of all its cells, as many pictures at a time as the generator is asked for."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from gandream.models.cppn.network import CPPN
from gandream.models.registry import describe, load_generator
from gandream.models.spec import Layer, Spec
from gandream.recipe.load import recipe_from
from gandream.rendering.batches import fitting
from gandream.rendering.cells import at_once, picture_size, shown_size
from gandream.rendering.device import Kind
from gandream.rendering.grid import painter
from gandream.rendering.memory import needed, needed_by
from gandream.rendering.plan import Plan, make_plan
from gandream.rendering.reel import Shot
from gandream.trajectory.compose import compose
from gandream.video.format import VideoFormat

SPEC = describe("cppn#7")
NATIVE = Spec("stylegan3", "n", "f", 512, (), size=(256, 256), shown=(Layer("a", 256, 512),), channels=3)
MB = 1 << 20


def planned(side: int, size: tuple[int, int], device: Kind = "cpu", spec: Spec | None = None) -> Plan:
    """Of a film with ``side`` x ``side`` cells; of one without a grid where that is 0."""
    grid = {"grid": {"columns": side, "rows": side, "gap": 0}} if side else {}
    words = {"model": "cppn#7", "walk": {"through": [1, 2], "every": 1}, "video": {"duration": 2}, **grid}
    trajectory = compose(recipe_from(words), SPEC).trajectory
    if spec is not None:
        trajectory = replace(trajectory, spec=spec)
    return make_plan(trajectory, VideoFormat(*size, Fraction(10)), device)


@pytest.mark.parametrize(("side", "size"), [(2, (64, 64)), (4, (128, 64)), (3, (640, 480)), (5, (900, 900))])
def test_as_many_at_once_as_are_said(monkeypatch: pytest.MonkeyPatch, side: int, size: tuple[int, int]):
    asked, own = [], CPPN.synthesise

    def synthesise(self, inputs, **given):
        asked.append((len(inputs.w), given["size"]))
        return own(self, inputs, **given)

    monkeypatch.setattr(CPPN, "synthesise", synthesise)
    plan = planned(side, size)
    painter(plan, load_generator("cppn#7", "cpu")).paint(0, plan.batch)
    assert max(count for count, _ in asked) == min(at_once(plan), side * side * plan.batch)
    assert {made for _, made in asked} == {picture_size(plan)}


def test_a_cell_is_a_part_of_the_frame():
    plan = planned(4, (1920, 1080))
    assert shown_size(plan) == picture_size(plan) == (270, 480)
    assert picture_size(planned(4, (1920, 1080), spec=NATIVE)) == (256, 256), "models make their own size"
    assert (shown_size(planned(0, (1920, 1080))), at_once(planned(0, (64, 64)))) == (
        (1080, 1920),
        planned(0, (64, 64)).batch,
    )


def test_a_grid_needs_more_than_a_batch_of_its_model():
    """16 pictures of 256 x 256 are made at a time for frames that are made one by one."""
    plan = planned(4, (1920, 1920), "cuda", NATIVE)
    assert at_once(plan) > plan.batch
    one_by_one = needed(NATIVE, plan.fmt, plan.batch, "cuda", "float32", 0)
    layer = 4 * 512 * 256 * 256
    assert needed_by(plan, 0) - one_by_one >= (at_once(plan) - plan.batch) * layer


def test_a_film_without_a_grid_needs_what_it_did():
    plan = planned(0, (640, 480), spec=NATIVE)
    assert needed_by(plan, 7 * MB) == needed(NATIVE, plan.fmt, plan.batch, "cpu", "float32", 7 * MB)
    assert needed_by(plan, 0, 1) < needed_by(plan, 0, 8)


def test_where_memory_is_short_cells_are_made_fewer_at_a_time(tmp_path):
    plan = planned(4, (512, 512), "cuda", NATIVE)
    assert needed_by(plan, 0, plan.batch // 4) < needed_by(plan, 0, plan.batch // 2) < needed_by(plan, 0)
    shot = Shot(plan, 0, 20)
    (less,) = fitting([shot], tmp_path, needed_by(plan, 0) - 1, {})
    assert less.plan.batch == plan.batch // 2
    assert at_once(less.plan) == at_once(plan) // 2


@pytest.mark.parametrize(("spec", "size", "measured_mb"), [(SPEC, (1920, 1080), 864)])
def test_what_was_measured_lies_within_half_as_much_again(spec: Spec, size: tuple[int, int], measured_mb: int):
    """The peak of a render of 4 x 4 cells with its ffmpeg (``tests/benchmarks/memory_needed.py``)."""
    said = needed_by(planned(4, size, spec=spec), 0) / MB
    assert measured_mb <= said <= 1.6 * measured_mb
