"""A trained generator as one of gandream's own model files, which says how it came to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from gandream.models.files import write_native
from gandream.training.data import Data
from gandream.training.learner import Learner
from gandream.training.networks.base import Stage

WEIGHTS = {"float16": torch.float16, "float32": torch.float32}


def exported(now: Stage) -> Stage:
    """The stage that is exported: one that still fades in makes no pictures of its own, so it is the one before."""
    return now if now.alpha >= 1 else Stage(now.resolution // 2)


def settled(learner: Learner) -> None:
    """Let the averaged generator measure what it needs besides weights; the next step forgets it."""
    learner.average.settle(exported(learner.stage), torch.Generator(learner.device).manual_seed(0))


def export(
    learner: Learner, data: Data, path: Path, *, name: str, licence: str, weights: str, more: Mapping[str, Any]
) -> None:
    """Write the averaged generator as it is now; ``more`` goes into the metadata beside settings and provenance.

    What the family measures besides weights has to be settled before.
    """
    stage = exported(learner.stage)
    tensors, configuration = learner.average.export(stage)
    arrays = {
        key: tensor.detach().to("cpu", WEIGHTS[weights] if tensor.is_floating_point() else tensor.dtype).numpy()
        for key, tensor in tensors.items()
    }
    settings = learner.settings
    training = {
        "data": data.provenance,
        "settings": settings.plain(),
        "images": learner.images,
        "steps": learner.steps,
        "seed": settings.seed,
        **more,
    }
    write_native(
        path,
        arrays,
        family=settings.family,
        name=name,
        licence=licence,
        classes=settings.classes,
        size=(stage.resolution, stage.resolution),
        configuration=configuration,
        training=training,
    )
