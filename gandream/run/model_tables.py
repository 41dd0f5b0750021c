"""What a sheet of a model shows: tables of seeds, classes, truncations, mixtures of styles, steps along a direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gandream.base.errors import OutputError
from gandream.models.spec import Spec
from gandream.recipe.recipe import Recipe
from gandream.run import sheet_words
from gandream.run.model_pictures import Pushed, Sample
from gandream.run.sheet_words import LARGEST, MOST_PICTURES, MOST_STEPS
from gandream.trajectory.layers import group

STRENGTH, STEPS = 3.0, 7
"""How far along a direction, both ways, and in how many pictures, where nobody says."""
MOST_SIDE = 2048
"""Pixels of a picture's longer side."""


@dataclass(frozen=True)
class Wanted:
    """What a sheet is to show, as it is written; at most one of ``classes``, ``truncation``, ``mix``, ``direction``."""

    seeds: str | None = None
    classes: str | None = None
    truncation: str | None = None
    mix: str | None = None
    mixed_with: str | None = None
    direction: str | None = None
    strength: float | None = None
    steps: int | None = None
    layers: str | None = None
    class_: str | None = None
    psi: float | None = None
    size: int | None = None
    columns: int | None = None


@dataclass(frozen=True)
class Block:
    """A table of pictures, row by row; None is an empty place. Where it is ``edged``, its first row and column are the
    sources of those inside.
    """

    cells: tuple[tuple[Sample | None, ...], ...]
    title: str = ""
    across: tuple[str, ...] = ()
    """What stands above the columns; none: each picture has its number below."""
    down: tuple[str, ...] = ()
    edged: bool = False
    layers: str = ""
    """Those that come from the second source."""


@dataclass(frozen=True)
class Arranged:
    """Everything that a sheet shows, and in words."""

    blocks: tuple[Block, ...]
    facts: tuple[str, ...] = ()
    """Of the heading."""
    pushed: Pushed | None = None
    notes: tuple[str, ...] = ()

    @property
    def samples(self) -> list[Sample]:
        """All pictures in the order of the page."""
        return [one for block in self.blocks for row in block.cells for one in row if one is not None]


def arrange(model: str, spec: Spec, wanted: Wanted) -> Arranged:
    """The tables of what is wanted, checked against the model; nothing is painted yet."""
    modes = {"--classes": wanted.classes, "--truncation": wanted.truncation, "--mix": wanted.mix,
             "--direction": wanted.direction}  # fmt: skip
    said = [name for name, value in modes.items() if value is not None]
    if len(said) > 1:
        raise OutputError(
            said[1], f"a sheet shows one of {', '.join(modes)}, and {said[0]} is there already", "Leave one out."
        )
    _check(wanted)
    recipe = sheet_words.bare_recipe(model)
    mode = said[0] if said else "--seeds"
    number, notes = _class(wanted, recipe, spec, mode)
    given = [f"class {_class_words(spec, number)}"] if number is not None else []
    psi = 1.0 if wanted.psi is None else wanted.psi
    given += [] if psi == 1 else [f"truncation {psi:g}"]
    made = _ARRANGED[mode](model, spec, wanted, recipe, Sample(0, number, psi))
    return Arranged(made.blocks, (*made.facts, *given), made.pushed, notes)


def _check(wanted: Wanted) -> None:
    """Refuse what goes with nothing, and numbers that mean nothing."""
    if wanted.mixed_with is not None and wanted.mix is None:
        raise OutputError("--with", "these are the second sources of a mixture", "Say the first: --mix 1-4 --with 5-9")
    if wanted.layers is not None and wanted.mix is None and wanted.direction is None:
        raise OutputError("--layers", "layers go with --mix or --direction", "Leave the option out.")
    if wanted.mix is not None and wanted.mixed_with is None:
        raise OutputError(f"--mix {wanted.mix}", "with which seeds?", f"For instance --mix {wanted.mix} --with 5-9")
    if wanted.mix is not None and wanted.seeds is not None:
        raise OutputError("--seeds", "the seeds of a mixture are those of --mix and --with", "Leave the option out.")
    if wanted.classes is not None and wanted.class_ is not None:
        raise OutputError("--class", "--classes says which are shown", "Leave one of the two out.")
    if wanted.truncation is not None and wanted.psi is not None:
        raise OutputError("--psi", "--truncation says which are shown", "Leave one of the two out.")
    for name, value in (("--strength", wanted.strength), ("--steps", wanted.steps)):
        if value is not None and wanted.direction is None:
            raise OutputError(name, "this goes with --direction", "Leave the option out.")
    if wanted.psi is not None and not abs(wanted.psi) <= LARGEST:
        raise OutputError(
            f"--psi {wanted.psi:g}", f"wanted a number from -{LARGEST:g} to {LARGEST:g}", "For instance 0.7."
        )
    if wanted.strength is not None and not 0 < wanted.strength <= LARGEST:
        raise OutputError(
            f"--strength {wanted.strength:g}", f"wanted a number above 0, up to {LARGEST:g}", "For instance 3."
        )
    for name, value, low, high in (("--steps", wanted.steps, 2, MOST_STEPS), ("--size", wanted.size, 16, MOST_SIDE),
                                   ("--columns", wanted.columns, 1, MOST_PICTURES)):  # fmt: skip
        if value is not None and not low <= value <= high:
            raise OutputError(f"{name} {value}", f"wanted {low} to {high}")
    if wanted.columns is not None and any((wanted.classes, wanted.truncation, wanted.mix, wanted.direction)):
        raise OutputError("--columns", "this sheet's columns are what it compares", "Leave the option out.")


def _class(wanted: Wanted, recipe: Recipe, spec: Spec, mode: str) -> tuple[int | None, tuple[str, ...]]:
    """The class of all pictures, and what should be known of it."""
    if wanted.class_ is not None:
        return sheet_words.class_of(wanted.class_, recipe, spec), ()
    if not spec.classes or mode == "--classes":
        return None, ()
    taken = "0" if spec.classes[0] == "0" else f"0 ({spec.classes[0]})"
    more = "--class NAME takes another, and --classes all shows every one"
    return 0, (f"{spec.name} has {len(spec.classes)} classes; these are of class {taken}. {more}.",)


def _class_words(spec: Spec, number: int) -> str:
    name = spec.classes[number]
    return name if name == str(number) else f"{number} {name}"


def _seeds(model: str, spec: Spec, wanted: Wanted, recipe: Recipe, like: Sample) -> Arranged:
    seeds = sheet_words.seeds_of(wanted.seeds or "0-63")
    _few(len(seeds))
    columns = min(wanted.columns or _columns(len(seeds)), len(seeds))
    rows = [seeds[at : at + columns] for at in range(0, len(seeds), columns)]
    cells = tuple(tuple(Sample(seed, like.class_, like.psi) for seed in row) for row in rows)
    return Arranged((Block(cells),), (f"seeds {_told(seeds)}",))


def _columns(count: int) -> int:
    """Eights where all is seen at once, tens where one looks for a number, and more for walls of pictures."""
    return 8 if count <= 64 else 10 if count <= 120 else max(12, math.ceil(math.sqrt(1.5 * count) / 10) * 10)


def _by_class(model: str, spec: Spec, wanted: Wanted, recipe: Recipe, like: Sample) -> Arranged:
    classes = sheet_words.classes_of(wanted.classes or "all", recipe, spec)
    seeds = sheet_words.seeds_of(wanted.seeds or "0-7")
    _few(len(classes) * len(seeds))
    cells = tuple(tuple(Sample(seed, number, like.psi) for seed in seeds) for number in classes)
    block = Block(cells, "", tuple(map(str, seeds)), tuple(_class_words(spec, number) for number in classes))
    return Arranged((block,), (f"{len(classes)} classes", f"seeds {_told(seeds)}"))


def _by_truncation(model: str, spec: Spec, wanted: Wanted, recipe: Recipe, like: Sample) -> Arranged:
    psis, seeds = sheet_words.amounts_of(wanted.truncation or "1"), sheet_words.seeds_of(wanted.seeds or "0-7")
    _few(len(psis) * len(seeds))
    cells = tuple(tuple(Sample(seed, like.class_, psi) for psi in psis) for seed in seeds)
    block = Block(cells, "", tuple(f"{psi:g}" for psi in psis), tuple(map(str, seeds)))
    return Arranged((block,), (f"truncation {psis[0]:g} to {psis[-1]:g}", f"seeds {_told(seeds)}"))


def _mixed(model: str, spec: Spec, wanted: Wanted, recipe: Recipe, like: Sample) -> Arranged:
    """As figure 3 of Karras et al. 2019: sources A at the left, B above; some layers from B, the rest from A."""
    rows = sheet_words.seeds_of(wanted.mix or "", "--mix")
    columns = sheet_words.seeds_of(wanted.mixed_with or "", "--with")
    if len(spec.layers) == 1:
        raise OutputError(
            f"--mix {wanted.mix}", f"{spec.name} has one layer, so there is nothing to mix", "Take --seeds."
        )
    if wanted.layers is not None:
        chosen = {wanted.layers: sheet_words.layers_of(wanted.layers, model, spec)}
    else:
        chosen = {name: _mask(spec, name) for name in ("coarse", "middle", "fine") if group(name, spec)}
    blocks = []
    _few(len(chosen) * ((len(rows) + 1) * (len(columns) + 1) - 1))
    for name, mask in chosen.items():
        top = [None, *(Sample(seed, like.class_, like.psi) for seed in columns)]
        layers = tuple(bool(one) for one in mask)
        inside = [
            [Sample(a, like.class_, like.psi), *(Sample(a, like.class_, like.psi, b, layers) for b in columns)]
            for a in rows
        ]
        cells = tuple(tuple(row) for row in (top, *inside))
        title = f"{_layer_words(name, mask)} from B, everything else from A"
        blocks.append(Block(cells, title, ("", *map(str, columns)), ("", *map(str, rows)), True, name))
    return Arranged(tuple(blocks), (f"A: seeds {_told(rows)}", f"B: seeds {_told(columns)}"))


def _mask(spec: Spec, name: str) -> np.ndarray:
    mask = np.zeros(len(spec.layers), bool)
    mask[list(group(name, spec))] = True
    return mask


def _layer_words(name: str, mask: np.ndarray) -> str:
    """``coarse layers, 0 to 3,``; ``layers 0 to 3``."""
    numbers = np.flatnonzero(mask)
    whole = len(numbers) == numbers[-1] - numbers[0] + 1
    span = f"{numbers[0]} to {numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
    span = span if whole else ", ".join(map(str, numbers))
    if name in ("coarse", "middle", "fine"):
        return f"{name} layers ({span})"
    return f"layer{'s' * (len(numbers) > 1)} {span}"


def _directed(model: str, spec: Spec, wanted: Wanted, recipe: Recipe, like: Sample) -> Arranged:
    named = wanted.direction or ""
    place = sheet_words.direction_of(named, model, spec)
    if wanted.layers is not None and place.z is not None:
        raise OutputError(
            f"--layers {wanted.layers}", "this direction is one of z, which all layers share", "Leave it out."
        )
    layers = None if wanted.layers is None else sheet_words.layers_of(wanted.layers, model, spec)
    seeds = sheet_words.seeds_of(wanted.seeds or "0-7")
    most = wanted.strength or STRENGTH
    steps = np.round(np.linspace(-most, most, wanted.steps or STEPS), 6) + 0.0
    _few(len(steps) * len(seeds))
    cells = tuple(tuple(Sample(seed, like.class_, like.psi, amount=float(step)) for step in steps) for seed in seeds)
    across = tuple("0" if step == 0 else f"{step:+.3g}" for step in steps)
    block = Block(cells, "", across, tuple(map(str, seeds)))
    where = [] if layers is None else [_layer_words("", layers)]
    name = Path(named.partition("#")[0]).stem + (f" {named.partition('#')[2]}" if "#" in named else "")
    return Arranged((block,), (f"along {name}", *where, f"seeds {_told(seeds)}"), Pushed(place, layers))


_ARRANGED: dict[str, Callable[[str, Spec, Wanted, Recipe, Sample], Arranged]] = {
    "--seeds": _seeds,
    "--classes": _by_class,
    "--truncation": _by_truncation,
    "--mix": _mixed,
    "--direction": _directed,
}


def _few(count: int) -> None:
    if count > MOST_PICTURES:
        problem = f"that would be {count} pictures, and a sheet has {MOST_PICTURES} at most"
        raise OutputError("gandream sheet", problem, "Take fewer seeds, classes or steps.")


def _told(seeds: tuple[int, ...]) -> str:
    """Seeds in a few words."""
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds)) if len(seeds) <= 12 else f"{seeds[0]}, {seeds[1]} ... {seeds[-1]}"
