"""The names in a recipe: those that are declared, and those that its expressions use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from gandream.base.errors import RecipeError, did_you_mean, listed
from gandream.recipe.curve import Expression, Keyframes
from gandream.recipe.expression import FUNCTIONS, NAMES, Node, names_in
from gandream.recipe.fields import is_number
from gandream.recipe.layering import Blend
from gandream.recipe.reader import Key, Path_
from gandream.recipe.recipe import Recipe, curves_in, values_in
from gandream.recipe.times import Time


def check_names(recipe: Recipe) -> list[RecipeError]:
    """Mistakes in the names of signals and variables, and in those that expressions use."""
    return [
        *_declared(recipe),
        *_in_scenes(recipe),
        *_by_bands(recipe),
        *_circular(recipe),
        *(
            error
            for path, curve in curves_in(recipe)
            if isinstance(curve, Expression)
            for error in _used(recipe, path, curve)
        ),
    ]


def _declared(recipe: Recipe) -> Iterator[RecipeError]:
    for group, names in (("signals", recipe.signals), ("vars", recipe.vars), ("curves", recipe.curves)):
        for name in names:
            path: tuple[Key, ...] = (group, name)
            if not re.fullmatch(r"[A-Za-z_]\w{0,39}", name, re.ASCII):
                yield recipe.error(path, "a name is up to 40 letters, digits and _, not beginning with a digit")
            elif name in NAMES or name in FUNCTIONS or name in ("and", "or", "not"):
                what = "a function" if name in FUNCTIONS else "a word of its own"
                yield recipe.error(path, f"'{name}' is {what} in expressions", f"Call it {name}_ or something else.")
            elif group != "signals" and name in recipe.signals:
                yield recipe.error(path, "a signal has this name too", "Rename one of the two.")
            elif group == "curves" and name in recipe.vars:
                yield recipe.error(path, "a variable has this name too", "Rename one of the two.")
            elif group == "vars" and is_number(value := recipe.vars[name]) and not abs(value) < 1e300:
                yield recipe.error(path, "must be finite")


def _circular(recipe: Recipe) -> Iterator[RecipeError]:
    """Mistakes of curves that are made of themselves; each circle is told once."""
    uses = {
        name: [str(node.value) for node in names_in(curve.tree) if node.value in recipe.curves]
        if isinstance(curve, Expression)
        else []
        for name, curve in recipe.curves.items()
    }
    done: set[str] = set()

    def circles(name: str, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if name in above:
            yield (*above[above.index(name) :], name)
        elif name not in done:
            for other in uses[name]:
                yield from circles(other, (*above, name))
            done.add(name)

    for name in uses:
        for circle in circles(name, ()):
            yield recipe.error(("curves", circle[0]), f"this curve is made of itself: {' -> '.join(circle)}")


def _in_scenes(recipe: Recipe) -> Iterator[RecipeError]:
    """Mistakes in what each scene says, as far as it depends on the whole recipe."""
    if recipe.audio is None:
        for path, value in values_in(recipe):
            times = value.times if isinstance(value, Keyframes) else (value,)
            if any(isinstance(time, Time) and time.unit == "section" for time in times):
                yield recipe.error(path, "sections are heard in music, and there is none", "Say the time in seconds.")
    for scene in recipe.told_scenes():
        yield from _by_bands(scene, scene.own_words)


def _by_bands(recipe: Recipe, words: Collection[str] | None = None) -> Iterator[RecipeError]:
    """Mistakes in what wants a signal with bands; only in some words, if given."""
    wanted: list[tuple[Path_, str, str]] = []
    wanted += [(("blend", index, "by"), blend.by, "a blend") for index, blend in enumerate(recipe.blend)]
    wanted += [(("noise", index, "by"), one.by, "noise") for index, one in enumerate(recipe.noise) if one.by]
    if recipe.classes is not None and recipe.classes.from_ is not None:
        wanted.append((("classes", "from"), recipe.classes.from_, "`from`"))
    banded = [name for name, one in recipe.signals.items() if one.band_names]
    for path, name, what in wanted:
        if words is not None and path[0] not in words:
            continue
        signal = recipe.signals.get(name)
        if signal is None:
            hint = did_you_mean(name, banded) or "Declare one, for instance `signals: {notes: chroma}`."
            yield recipe.error(path, f"there is no signal called '{name[:60]}'", hint)
        elif not signal.band_names:
            hint = f"There is: {listed(banded)}." if banded else "A chroma has: `signals: {notes: chroma}`."
            yield recipe.error(path, f"'{name}' is a single curve; {what} wants a signal with bands", hint)
        else:
            yield from _too_many(recipe, path, name, len(signal.band_names))


def _too_many(recipe: Recipe, path: Path_, name: str, bands: int) -> Iterator[RecipeError]:
    if path[0] == "blend" and isinstance(path[1], int) and _unlike(recipe.blend[path[1]], bands):
        found = recipe.blend[path[1]].latents
        problem = f"'{name}' has {bands} bands, and here are {len(found)} latents"
        yield recipe.error((*path[:2], "latents"), problem, "Give one latent for each band, in order.")
    if path[0] == "classes" and recipe.classes is not None and len(recipe.classes.through) > bands:
        problem = f"'{name}' has {bands} bands, and here are {len(recipe.classes.through)} classes"
        yield recipe.error(("classes", "through"), problem, "Give one for each band, or fewer: they are repeated.")


def _unlike(blend: Blend, bands: int) -> bool:
    """Whether a blend has not as many latents as bands; in the order of medians there may be fewer."""
    return len(blend.latents) > bands or (len(blend.latents) < bands and blend.order == "as written")


def _used(recipe: Recipe, path: Path_, curve: Expression) -> Iterator[RecipeError]:
    for node in names_in(curve.tree):
        name = str(node.parts[0].value if node.kind == "index" else node.value)
        problem, hint = _name_problem(recipe, node, name)
        if problem:
            yield recipe.error(path, f"{problem} (column {node.column + 1} of the expression)", hint, node.column)


def _name_problem(recipe: Recipe, node: Node, name: str) -> tuple[str, str]:
    signal = recipe.signals.get(name)
    if signal is not None and (bands := signal.band_names):
        if node.kind == "name":
            many = "twelve" if len(bands) == 12 else len(bands)
            some = f"{name}.{bands[0]}, {name}.{bands[1]} ... {name}.{bands[-1]}"
            return f"'{name}' has {many} bands", f"Choose one: {some}."
        found = signal.band_at(str(node.value)) is not None
        return ("", "") if found else (f"'{name}' has no '.{node.value}'", f"Its bands: {listed(bands)}.")
    if name in recipe.vars and not is_number(recipe.vars[name]):
        return (
            f"the variable '{name}' is no number, so it can't be used in an expression",
            f"Use it as a whole: ${name}",
        )
    if name in FUNCTIONS:
        return f"'{name}' is a function", f"Write {name}({FUNCTIONS[name].arguments})."
    known = [*recipe.signals, *recipe.vars, *recipe.curves, *NAMES]
    if name not in known:
        return f"there is nothing called '{name[:60]}'", did_you_mean(name, known) or f"There is: {listed(known)}."
    if node.kind == "index":
        return f"'{name}' is a single curve and has no '.{node.value}'", f"Write {name}."
    return "", ""
