"""Films side by side: the trajectories of a grid's cells as one, and where each is on the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import Any

from gandream.base.hashing import content_key
from gandream.effects.lettering import lacking, load_font
from gandream.recipe.cells import Cell
from gandream.recipe.grid import Grid
from gandream.recipe.recipe import Recipe
from gandream.trajectory.places import Place
from gandream.trajectory.trajectory import Trajectory

LARGEST = 1920
"""Width and height of a grid's film at most, where the recipe names no size: its cells are made smaller then."""


@dataclass(frozen=True)
class Layout:
    """Where the cells are, all of one size: ``gap`` in heights of a cell, also round them all."""

    columns: int
    rows: int
    gap: float
    colour: tuple[float, float, float]
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, grid: Grid, labels: Sequence[str] = ()) -> Layout:
        """As the words say it."""
        _, columns, rows = grid.shape
        return cls(columns, rows, grid.gap, grid.colour.rgb, tuple(labels))

    def whole(self, cell: tuple[int, int]) -> tuple[int, int]:
        """(height, width), even, of a frame for cells of a size, unless that is too large: then of smaller ones."""
        for share in (1.0, self._share(cell)):
            high, wide = (max(1, int(size * share)) for size in cell)
            gap = round(self.gap * high)
            size = self.rows * (high + gap) + gap, self.columns * (wide + gap) + gap
            if max(size) <= LARGEST:
                break
        return size[0] + size[0] % 2, size[1] + size[1] % 2

    def _share(self, cell: tuple[int, int]) -> float:
        high, wide = cell
        gap = self.gap * high
        return min(1.0, LARGEST / (self.rows * (high + gap) + gap), LARGEST / (self.columns * (wide + gap) + gap))

    def cell(self, frame: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of each cell on a frame (H, W)."""
        gap = self._gap_px(frame)
        return tuple(
            max(1, (size - gap * (count + 1)) // count)
            for size, count in zip(frame, (self.rows, self.columns), strict=True)
        )  # type: ignore[return-value]

    def corner(self, number: int, frame: tuple[int, int]) -> tuple[int, int]:
        """(top, left) of a cell on a frame; what can't be shared evenly is left at the sides."""
        gap, (high, wide) = self._gap_px(frame), self.cell(frame)
        row, column = divmod(number, self.columns)
        top = (frame[0] - self.rows * (high + gap) + gap) // 2
        left = (frame[1] - self.columns * (wide + gap) + gap) // 2
        return max(0, top) + row * (high + gap), max(0, left) + column * (wide + gap)

    def _gap_px(self, frame: tuple[int, int]) -> int:
        gap = round(self.gap * frame[0] / (self.rows + self.gap * (self.rows + 1)))
        return min(gap, frame[1] // (2 * self.columns + 2))  # at most half of the width

    def key(self) -> list[Any]:
        """For content_key."""
        drawn = [list(self.labels), version("pillow")] if any(self.labels) else []
        return [self.columns, self.rows, self.gap, list(self.colour), drawn]


@dataclass(frozen=True)
class GridTrajectory(Trajectory):
    """The trajectory of the recipe itself, and those of the cells, which are what is seen."""

    cells: tuple[Trajectory, ...] = ()
    layout: Layout = Layout(1, 1, 0.0, (0.0, 0.0, 0.0))

    def places(self) -> Iterator[Place]:
        """All latents that are named."""
        for cell in self.cells:
            yield from cell.places()

    def key(self, start: int, stop: int) -> str:
        """Content key of everything that shapes the pictures of frames [start, stop) in all cells."""
        return content_key("grid", self.layout.key(), [cell.key(start, stop) for cell in self.cells])


def gridded(
    recipe: Recipe, cells: Sequence[Cell], own: Trajectory, lay: Callable[[Recipe], Trajectory]
) -> tuple[GridTrajectory, list[str]]:
    """The trajectories of all cells as one, and warnings; ``lay`` lays a cell's recipe out in time."""
    assert recipe.grid is not None, "there is a grid"
    labels = [cell.label for cell in cells]
    if any(labels) and (missing := lacking(load_font(None, 32), "".join(labels))):
        raise recipe.error(("grid", "labels"), f"the built-in font has no {' '.join(missing[:8])}", "Give others.")
    laid = tuple(lay(cell.recipe) for cell in cells)
    said = {field.name: getattr(own, field.name) for field in fields(Trajectory)}
    whole = GridTrajectory(**said, cells=laid, layout=Layout.of(recipe.grid, labels if any(labels) else ()))
    frames = {0, own.frames // 3, own.frames // 2, own.frames - 1}
    alike = all(len({cell.key(frame, frame + 1) for cell in laid}) == 1 for frame in frames)
    hint = "a walk that is drawn by chance, such as `wander`, has another path for each seed"
    return whole, [f"grid: all cells are the same; {hint}"] if alike else []
