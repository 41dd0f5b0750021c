"""What a plan asks its generator for, of a grid too: how large pictures are, and how many are made at a time."""

from __future__ import annotations

from gandream.rendering.plan import Plan, batch_of, made_size
from gandream.trajectory.grid import GridTrajectory


def shown_size(plan: Plan) -> tuple[int, int]:
    """(height, width) in which each picture is shown: of the frame, or of a grid's cell."""
    frame = plan.fmt.height, plan.fmt.width
    return plan.trajectory.layout.cell(frame) if isinstance(plan.trajectory, GridTrajectory) else frame


def picture_size(plan: Plan) -> tuple[int, int]:
    """(height, width) of the pictures that the generator makes."""
    return made_size(plan.trajectory.spec, shown_size(plan), plan.fit)


def at_once(plan: Plan) -> int:
    """How many pictures a call of the generator makes: a batch, or of a grid as many as of a film of its cells' size.

    Cells that the camera, noise or bending moves are made a batch at a time, each on its own.
    """
    if not isinstance(plan.trajectory, GridTrajectory):
        return plan.batch
    (high, wide), (height, width) = shown_size(plan), picture_size(plan)
    of_cells = batch_of(plan.device, max(height * width, high * wide))
    of_frames = batch_of(plan.device, max(height * width, plan.fmt.width * plan.fmt.height))
    # Where memory made the film's batches smaller, those of the cells are so, too.
    return max(1, of_cells * plan.batch // of_frames)
