"""What a training shows of itself: sheets of the same samples, and samples to measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gandream.training import quality
from gandream.training.data import Data
from gandream.training.learner import Learner
from gandream.training.sheet import save_sheet
from gandream.training.swd import Descriptors

ROWS = 8
"""Of the sheet, where there are no classes; with classes there is a row for each."""
MOST_ROWS = 16
COLUMNS = 8
LARGEST = 256
"""Pictures are shown no larger than this, in pixels: a sheet has a hundred of them."""


def sheet(learner: Learner, path: Path, name: str) -> None:
    """Write the same latents in every sheet: a row for each class (the first sixteen), or eight rows."""
    classes = learner.settings.classes
    rows = min(len(classes), MOST_ROWS) or ROWS
    size = learner.generator.latent_size
    z = [np.random.RandomState(seed).randn(size) for seed in range(rows * COLUMNS)]
    labels = torch.arange(rows).repeat_interleave(COLUMNS) if classes else None
    pictures = learner.samples(torch.from_numpy(np.stack(z)).float(), labels)
    if pictures.shape[-1] > LARGEST:
        smaller = F.interpolate(pictures.float(), LARGEST, mode="area")
        pictures = smaller.round().to(torch.uint8)
    more = f", {len(classes) - rows} more classes" if len(classes) > rows else ""
    caption = f"{name}: {learner.images} images{more}"
    save_sheet(path, pictures, COLUMNS, labels=classes[:rows] or None, caption=caption)


def generated(learner: Learner, data: Data, samples: int, each: Callable[[], None]) -> Descriptors:
    """Descriptors of samples with the classes of held-out pictures; ``each`` is called before every batch."""

    def make(first: int, count: int, labels: Tensor | None) -> Tensor:
        each()
        wanted = labels if learner.settings.classes else None
        return learner.samples(quality.latents(learner.generator.latent_size, first, count), wanted)

    return quality.of_generator(make, data, learner.stage.resolution, samples)
