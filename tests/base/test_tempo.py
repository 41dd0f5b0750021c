from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base.tempo import BeatGrid

grids = st.builds(
    lambda first, gaps: BeatGrid(tuple(float(time) for time in first + np.cumsum([0.0, *gaps]))),
    st.floats(0, 10),
    st.lists(st.floats(0.1, 2), min_size=1, max_size=20),
)


@given(grids, st.floats(-50, 100))
def test_time_and_beat_are_inverse(grid, beat):
    assert float(grid.beat_at(grid.time_of(beat))) == pytest.approx(beat, abs=1e-9)


@given(grids)
def test_beats_are_counted_from_the_first_and_time_never_stands_still(grid):
    assert grid.beat_at(np.array(grid.beats_s)) == pytest.approx(np.arange(len(grid.beats_s)))
    assert np.all(np.diff(grid.beat_at(np.linspace(-5, 60, 500))) > 0)


def test_between_beats_is_linear_and_beyond_goes_on_at_the_median():
    grid = BeatGrid((1.0, 1.5, 2.0, 3.0))
    assert grid.bpm == pytest.approx(120)
    assert grid.beat_at(np.array([1.25, 2.25, 0.5, 4.0])) == pytest.approx([0.5, 2.25, -1, 5])
    assert [grid.time_of(beat) for beat in (0.5, 2.25, -1, 5)] == pytest.approx([1.25, 2.25, 0.5, 4.0])
    assert grid.beat_at(np.zeros((2, 3))).shape == (2, 3)


def test_steady():
    grid = BeatGrid.steady(90, beats_per_bar=3, first_beat_s=0.25)
    assert grid.bpm == pytest.approx(90)
    assert grid.beat_at(0.25 + 100 * 60 / 90) == pytest.approx(100)
    assert grid.bar_at(np.array([0.25, 0.25 + 2])) == pytest.approx([0, 1])


def test_bars_begin_at_the_beat_nearest_the_downbeat():
    grid = BeatGrid((0.0, 0.5, 1.0), downbeat_s=1.02)
    assert grid.bar_at(1.0) == pytest.approx(0)
    assert grid.bar_at(3.0) == pytest.approx(1)
    assert grid.bar_at(0.0) == pytest.approx(-0.5)


@pytest.mark.parametrize("beats", [(), (1.0,), (1.0, 1.0), (2.0, 1.0), (0.0, float("nan")), (0.0, float("inf"))])
def test_what_is_no_grid(beats):
    with pytest.raises(ValueError, match="beats"):
        BeatGrid(beats)


@pytest.mark.parametrize("bpm", [0, -120, float("inf"), float("nan")])
def test_what_is_no_tempo(bpm):
    with pytest.raises(ValueError, match="tempo"):
        BeatGrid.steady(bpm)


def test_a_bar_has_a_beat():
    with pytest.raises(ValueError, match="beats_per_bar"):
        BeatGrid((0.0, 1.0), beats_per_bar=0)
