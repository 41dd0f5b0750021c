"""The word ``use``: a preset, which stands for ordinary words. What the recipe itself says wins."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.fields import wrong
from gandream.recipe.presets.deep_music import DeepMusic
from gandream.recipe.presets.lucid_sonic import LucidSonic
from gandream.recipe.presets.parts import Preset
from gandream.recipe.presets.wavefunk import Wavefunk
from gandream.recipe.reader import Document, Path_

PRESETS: dict[str, type[Preset]] = {"lucid_sonic": LucidSonic, "deep_music": DeepMusic, "wavefunk": Wavefunk}
JOINED = ("signals", "curves")
"""Words under which a preset's and the recipe's own names stand together."""


def _use(value: Any) -> Any:
    if value is None or isinstance(value, Preset):
        return value
    written = {"preset": value} if isinstance(value, str) else value
    if not isinstance(written, dict) or "preset" not in written:
        hint = f"There is: {listed(PRESETS)}."
        raise wrong("wanted a preset: its name, or {preset: lucid_sonic, pulse_react: 0.6}", hint)
    name = written["preset"]
    if not isinstance(name, str) or name not in PRESETS:
        hint = did_you_mean(str(name), PRESETS) or f"There is: {listed(PRESETS)}."
        raise wrong("no such preset", hint, key=None if isinstance(value, str) else "preset")
    kind = PRESETS[name]
    for key in written:
        if key not in kind.words():
            hint = did_you_mean(str(key), kind.words()) or f"Words here: {listed(kind.words(), 40)}."
            raise wrong("no such word here", hint, key=key)
    return kind.model_validate(written)


Use = Annotated[LucidSonic | DeepMusic | Wavefunk | None, BeforeValidator(_use), PlainSerializer(lambda preset: None)]
"""A preset as written; in a recipe that is loaded there is none, as it has become words."""


def with_preset(document: Document) -> Document:
    """The document with the words of its presets under its own, its scenes' too.

    Pydantic's ValidationError where a `use` is wrong.
    """
    document = _expanded(document, ("use",))
    scenes = document.tree.get("scenes")
    if isinstance(scenes, dict):
        labels = scenes.get("labels")
        paths = [("scenes", "labels", label) for label in (labels if isinstance(labels, dict) else ())]
    else:
        paths = [("scenes", index) for index in range(len(scenes) if isinstance(scenes, list) else 0)]
    for path in paths:
        document = _expanded(document, (*path, "use"))
    return document


def _expanded(document: Document, path: Path_) -> Document:
    """The document with the preset at a path as words beside it; its signals and curves stand at the top."""
    place = _at(document.tree, path[:-1])
    if not isinstance(place, dict) or place.get("use") is None:
        return document
    preset = _preset(place["use"], path)
    seed = place.get("seed", document.tree.get("seed"))
    words = preset.expanded(seed if isinstance(seed, int) and not isinstance(seed, bool) else 0)
    tree = _without(document.tree, path)
    place, marks, where = _at(tree, path[:-1]), dict(document.marks), document.mark(path)
    if len(path) > 1:
        words = _renamed(words, tree)
    for word, value in words.items():
        root, at = (tree, ()) if word in JOINED else (place, path[:-1])
        own = root.get(word)
        if word in JOINED and isinstance(own, dict):
            marks |= {(word, name): where for name in value if name not in own}
            root[word] = {**value, **own}
        elif word not in root:
            marks[(*at, word)] = where
            root[word] = value
    return replace(document, tree=tree, marks=marks)


def _preset(written: Any, path: Path_) -> Preset:
    """The preset that is written at a path, at which its mistakes are told."""
    kind: Any = Use
    for step in reversed(path):
        kind, written = dict[type(step), kind], {step: written}
    made = TypeAdapter(kind).validate_python(written)
    for step in path:
        made = made[step]
    return made


def _at(tree: Any, path: Path_) -> Any:
    for step in path:
        tree = tree[step]
    return tree


def _without(tree: Any, path: Path_) -> Any:
    """A tree without what is at a path; what is on the way there is new."""
    step, *rest = path
    if not rest:
        return {key: value for key, value in tree.items() if key != step}
    made = _without(tree[step], tuple(rest))
    if isinstance(tree, list):
        return [made if index == step else value for index, value in enumerate(tree)]
    return {key: made if key == step else value for key, value in tree.items()}


def _renamed(words: dict[str, Any], tree: Any) -> dict[str, Any]:
    """A scene's preset, whose signals and curves have other names where another scene's mean something else."""
    for group in JOINED:
        taken = tree.get(group) if isinstance(tree.get(group), dict) else {}
        while clash := [name for name, value in words.get(group, {}).items() if taken.get(name, value) != value]:
            # One after the other, as what is named in a curve makes another one of it.
            numbered = (f"{clash[0]}_{number}" for number in count(2))
            free = next(name for name in numbered if name not in taken and name not in words[group])
            words = _with_name(words, re.compile(rf"\b{clash[0]}\b"), free)
    return words


def _with_name(value: Any, old: re.Pattern[str], new: str) -> Any:
    if isinstance(value, dict):
        return {_with_name(key, old, new): _with_name(item, old, new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_name(item, old, new) for item in value]
    return old.sub(new, value) if isinstance(value, str) else value
