"""Contact sheets of a model: pictures of what is wanted, laid out on one page, each with its number or in its row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gandream.models.registry import describe
from gandream.models.spec import Spec
from gandream.rendering.device import DeviceWord, Kind
from gandream.run.device import Note, on_device
from gandream.run.drawings import png_target, save_png
from gandream.run.model_page import Cell, drawn, measured
from gandream.run.model_pictures import pictures
from gandream.run.model_tables import Wanted, arrange
from gandream.run.storyboard import Progress


@dataclass(frozen=True)
class ModelSheet:
    """A sheet that was written."""

    path: Path
    spec: Spec
    size: tuple[int, int]
    """Width and height in pixels."""
    cells: tuple[Cell, ...]
    warnings: tuple[str, ...] = field(default=())


def model_sheet(
    model: str,
    wanted: Wanted,
    out: str | Path | None = None,
    *,
    force: bool = False,
    device: DeviceWord = "auto",
    progress: Progress = lambda done, total: None,
    note: Note = lambda words: None,
) -> ModelSheet:
    """Paint what is wanted of a model, and lay it out on one page. OutputError for what can't be shown.

    What was made from another model is not overwritten without ``force``.
    """
    target = png_target(out, f"{usual_name(model)}_sheet", model, force=force)
    spec = describe(model, Path.cwd())
    arranged = arrange(model, spec, wanted)
    samples = arranged.samples
    measure = measured(arranged, spec, wanted.size)

    def make(kind: Kind):
        made = pictures(model, spec, samples, (measure.picture[1], measure.picture[0]), kind, arranged.pushed)
        return drawn(arranged, spec, measure, _counted(made, len(samples), progress))

    laid = on_device(device, make, note)
    save_png(laid.page.image, target, model)
    return ModelSheet(target, spec, laid.page.image.size, laid.cells, (*spec.warnings, *arranged.notes))


def usual_name(model: str) -> str:
    """What a sheet of a model is called."""
    name = model.removeprefix("bundled:").replace("\\", "/").rpartition("/")[2]
    stem = Path(name).stem if Path(name).suffix in (".safetensors", ".pkl", ".pt", ".pth", ".npz", ".bin") else name
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in stem) or "model"


def facts(sheet: ModelSheet) -> dict[str, Any]:
    """Where each picture is and what it is of, as plain values."""
    cells = []
    for cell in sheet.cells:
        one = cell.sample
        told: dict[str, Any] = {"x": cell.x, "y": cell.y, "w": cell.w, "h": cell.h, "seed": one.seed, "psi": one.psi}
        if one.class_ is not None:
            told |= {"class": one.class_, "class_name": sheet.spec.classes[one.class_]}
        if one.other is not None:
            told |= {"with": one.other, "layers": cell.layers}
        if one.amount:
            told["amount"] = one.amount
        cells.append(told)
    size = {"width": sheet.size[0], "height": sheet.size[1]}
    return {"file": str(sheet.path), "model": sheet.spec.name, **size, "cells": cells, "warnings": list(sheet.warnings)}


def _counted(made: Iterator[np.ndarray], total: int, progress: Progress) -> Iterator[np.ndarray]:
    for number, picture in enumerate(made, 1):
        yield picture
        progress(number, total)
