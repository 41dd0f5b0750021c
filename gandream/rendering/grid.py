"""Frames of a grid: each cell painted as a film of its own size, and put in its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gandream.effects.lettering import Style, draw
from gandream.effects.placing import Placed, Pose, Texture, laid, placed
from gandream.models.spec import Inputs
from gandream.rendering.cells import at_once
from gandream.rendering.paint import FIT, Exposures, Painter, in_colour
from gandream.rendering.plan import Plan, made_size
from gandream.trajectory.grid import GridTrajectory
from gandream.trajectory.trajectory import Trajectory
from gandream.video.format import VideoFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator

LABEL, LEAST_PX = 0.08, 9.0
"""Size of labels in heights of a cell, and in pixels at least."""


def painter(plan: Plan, generator: Generator, exposures: Exposures | None = None) -> Painter | GridPainter:
    """What makes the pictures of a plan; of a grid each output makes its own."""
    if isinstance(plan.trajectory, GridTrajectory):
        return GridPainter(plan, generator)
    return Painter(plan, generator, exposures)


class GridPainter:
    """Makes the pictures of a plan whose trajectory is a grid, range by range."""

    def __init__(self, plan: Plan, generator: Generator):
        assert isinstance(plan.trajectory, GridTrajectory), "it paints grids"
        self.plan, self.generator, self.layout = plan, generator, plan.trajectory.layout
        self.frame = plan.fmt.height, plan.fmt.width
        self.size = self.layout.cell(self.frame)
        own = VideoFormat(self.size[1], self.size[0], plan.fmt.fps, subsampling="444")
        self.cells = [Painter(replace(plan, trajectory=cell, fmt=own), generator) for cell in plan.trajectory.cells]
        self._at_once = at_once(plan)
        self._labels: list[Placed | None] | None = None

    def paint(self, start: int, stop: int) -> Tensor:
        """Pictures of frames [start, stop), float [N, 3, H, W] in about [-1, 1]."""
        count, (high, wide) = stop - start, self.size
        colour = torch.tensor(self.layout.colour, device=self.generator.device) * 2 - 1
        whole = colour.view(1, 3, 1, 1).repeat(count, 1, *self.frame)
        for number, images in enumerate(self._pictures(start, stop)):
            top, left = self.layout.corner(number, self.frame)
            room = whole[:, :, top : top + high, left : left + wide]  # a frame may be too small for the last ones
            room.copy_(images[:, :, : room.shape[2], : room.shape[3]])
        for label in self._written():
            if label is not None:
                for index in range(count):
                    laid(whole[index : index + 1], label, 1.0, "normal")
        return whole

    def pieces(self, start: int, stop: int) -> Iterator[Tensor]:
        """As :meth:`paint`."""
        yield self.paint(start, stop)

    def _pictures(self, start: int, stop: int) -> list[Tensor]:
        """The pictures of each cell, [N, 3, h, w]; where cells are alike in kind, of several in one call."""
        plain = [self.plan.layer is None and _plain(cell.plan.trajectory, start, stop) for cell in self.cells]
        if not all(plain):
            return [cell.paint(start, stop) for cell in self.cells]
        with self.cells[0]._memory(), torch.inference_mode():
            inputs = [cell.feed.inputs(start, stop) for cell in self.cells]
            w = torch.cat([one.w for one in inputs])
            psi = None if inputs[0].psi is None else torch.cat([one.psi for one in inputs if one.psi is not None])
            size = made_size(self.generator.spec, self.size, self.plan.fit)
            asked = None if size == self.generator.spec.size else size
            made: list[Tensor] = []
            more: dict[str, Any] = {"rough": True} if self.cells[0].rough else {}
            for at in range(0, len(w), self._at_once):
                part = slice(at, at + self._at_once)
                given = Inputs(w[part], None if psi is None else psi[part])
                images = in_colour(self.generator.synthesise(given, noise="fixed", size=asked, **more))
                made.append(FIT[self.plan.fit](images, self.size))
            return list(torch.cat(made).split(stop - start))

    def _written(self) -> list[Placed | None]:
        """The labels on the frame, each at the lower left of its cell."""
        if self._labels is None:
            high, wide = self.size
            em, style = max(LEAST_PX, LABEL * high), Style(align="left", shadow=0.8, outline=0.08)
            like = torch.zeros(1, device=self.generator.device)
            self._labels = []
            for number, label in enumerate(self.layout.labels):
                drawn = draw(label, style, 2 * em, 2 * (wide - em))
                top, left = self.layout.corner(number, self.frame)
                below = (drawn.box[3] - drawn.anchor[1]) / 2
                pose = Pose((left + em / 2, top + high - em / 4 - below), (0.5, 0.5))
                self._labels.append(placed(Texture.of(drawn.pixels, drawn.anchor, like), pose, self.frame))
        return self._labels


def _plain(trajectory: Trajectory, start: int, stop: int) -> bool:
    """Whether pictures are made of inputs alone, so that those of several cells can be made in one call."""
    moved = trajectory.camera is not None and trajectory.camera.busy(*trajectory.own(start, stop))
    return not (moved or trajectory.noises or trajectory.bends or trajectory.regions)
