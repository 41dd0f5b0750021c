"""What a model's sheet is asked for, as it is written: seeds, classes, truncations, layers, a direction."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from gandream.base.errors import OutputError, RecipeError
from gandream.models.spec import Spec
from gandream.recipe.latent import MAX_SEED
from gandream.recipe.load import recipe_from
from gandream.recipe.recipe import Recipe
from gandream.trajectory import layers as layer_groups
from gandream.trajectory.classes import class_number
from gandream.trajectory.directions import direction as saved_direction
from gandream.trajectory.places import Place

MOST_PICTURES = 10_000
MOST_STEPS = 101
LARGEST = 100.0
"""Of truncations and strengths: beyond it no model has anything to show."""

T = TypeVar("T")
_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})", re.ASCII)


def seeds_of(written: str, option: str = "--seeds") -> tuple[int, ...]:
    """``0-63`` or ``1,5,9-12``: the seeds in the order in which they are written."""
    found: list[int] = []
    where, wanted = f"{option} {_short(written)}", "wanted seeds such as 0-63 or 1,5,9-12"
    for part in written.split(","):
        part = part.strip()
        first, last = _ends(part, where, wanted)
        if last > MAX_SEED:
            raise OutputError(where, f"seeds are from 0 to {MAX_SEED}")
        if last - first + 1 + len(found) > MOST_PICTURES:
            raise OutputError(where, f"these are too many: a sheet has {MOST_PICTURES} pictures at most")
        found += range(first, last + 1)
    return tuple(found)


def _ends(part: str, where: str, wanted: str) -> tuple[int, int]:
    if re.fullmatch(r"\d{1,10}", part, re.ASCII):
        return int(part), int(part)
    match = _RANGE.fullmatch(part)
    if match is None:
        raise OutputError(where, f"can't read '{part[:40]}': {wanted}" if part else wanted)
    first, last = int(match[1]), int(match[2])
    if last < first:
        raise OutputError(where, f"a range rises: write {last}-{first}, not {first}-{last}")
    return first, last


def amounts_of(written: str, option: str = "--truncation") -> tuple[float, ...]:
    """``-1:1:5``, from, to and how many; or a list such as ``0.3,0.5,1``."""
    where, wanted = f"{option} {_short(written)}", "wanted from:to:how many such as -1:1:5, or a list such as 0.5,0.8,1"
    parts = written.split(":")
    try:
        if len(parts) == 3:
            first, last, count = _number(parts[0]), _number(parts[1]), int(parts[2])
            if not 2 <= count <= MOST_STEPS:
                raise OutputError(where, f"wanted 2 to {MOST_STEPS} of them, not {count}")
            return tuple(float(value) for value in np.round(np.linspace(first, last, count), 6))
        if len(parts) != 1:
            raise ValueError
        found = tuple(_number(part) for part in written.split(","))
    except ValueError:
        raise OutputError(where, wanted) from None
    if len(found) > MOST_STEPS:
        raise OutputError(where, f"{len(found)} values are too many: at most {MOST_STEPS}")
    return found


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError
    return value


def bare_recipe(model: str) -> Recipe:
    """A recipe of nothing but a model, by which words are checked as those of a film."""
    return recipe_from({"model": model}, model)


def classes_of(written: str, recipe: Recipe, spec: Spec) -> tuple[int, ...]:
    """``all``, ``0-9`` or names with commas between: numbers of classes."""
    where = f"--classes {_short(written)}"
    _has_classes(spec, where)
    if written.strip() == "all":
        return tuple(range(len(spec.classes)))
    found: list[int] = []
    for part in (part.strip() for part in written.split(",")):
        if re.fullmatch(r"\d{1,10}(-\d{1,10})?", part, re.ASCII):
            first, last = _ends(part, where, "")
            class_of(str(last), recipe, spec, "--classes")
            found += range(first, last + 1)
        else:
            found.append(class_of(part, recipe, spec, "--classes"))
    return tuple(found)


def class_of(written: str, recipe: Recipe, spec: Spec, option: str = "--class") -> int:
    """The number of a class by its number or name."""
    where = f"{option} {_short(written)}"
    _has_classes(spec, where)
    word = int(written) if re.fullmatch(r"\d{1,10}", written.strip(), re.ASCII) else written.strip()
    if word == "":
        raise OutputError(where, "wanted a class by its number or name", "For instance 0.")
    return told_by(where, lambda: class_number(word, recipe, spec, ("model",)))


def _has_classes(spec: Spec, where: str) -> None:
    if not spec.classes:
        raise OutputError(where, f"{spec.name} has no classes ({spec.family})", "Leave the option out.")


def layers_of(written: str, model: str, spec: Spec) -> np.ndarray:
    """Which style layers ``coarse``, ``0-3`` or ``middle,8-`` are: bool [L]."""
    where = f"--layers {_short(written)}"
    parts = [int(part) if part.isdecimal() else part for part in (part.strip() for part in written.split(","))]

    def found() -> np.ndarray:
        recipe = recipe_from({"model": model, "mix": {"from": 0, "layers": parts}}, model)
        return layer_groups.mask(recipe.mix[0].layers, spec, recipe, ("mix", 0, "layers"))

    return told_by(where, found)


def direction_of(written: str, model: str, spec: Spec) -> Place:
    """A saved direction, as ``push: {along: ...}`` takes it: ``smile.npy``, ``directions.npz#smile``."""

    def found() -> Place:
        recipe = recipe_from({"model": model, "push": {"along": written, "by": 1}}, model)
        push = recipe.push[0]
        if push.along is None or isinstance(push.along, str):
            raise OutputError(f"--direction {written}", "wanted a saved direction such as smile.npy")
        return saved_direction(push.along, push, recipe, spec, ("push", 0))

    return told_by(f"--direction {_short(written)}", found)


def told_by(where: str, work: Callable[[], T]) -> T:
    """Do what finds mistakes in a recipe's words, which stand in an option here."""
    try:
        return work()
    except RecipeError as error:
        raise OutputError(where, error.problem, error.hint) from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
