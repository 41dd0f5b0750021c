"""The word ``use``: a preset, which stands for ordinary words. What the recipe itself says wins."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.fields import wrong
from gandream.recipe.presets.deep_music import DeepMusic
from gandream.recipe.presets.lucid_sonic import LucidSonic
from gandream.recipe.presets.parts import Preset
from gandream.recipe.presets.wavefunk import Wavefunk
from gandream.recipe.reader import Document

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
    """The document with the words of its preset under its own. Pydantic's ValidationError where `use` is wrong."""
    if document.tree.get("use") is None:
        return document
    preset: Preset = _USED.validate_python({"use": document.tree["use"]})["use"]
    seed = document.tree.get("seed")
    words = preset.expanded(seed if isinstance(seed, int) and not isinstance(seed, bool) else 0)
    tree = {key: value for key, value in document.tree.items() if key != "use"}
    marks, where = dict(document.marks), document.mark(("use",))
    for word, value in words.items():
        own = tree.get(word)
        if word in JOINED and isinstance(own, dict):
            marks |= {(word, name): where for name in value if name not in own}
            tree[word] = {**value, **own}
        elif word not in tree:
            marks[(word,)] = where
            tree[word] = value
    return replace(document, tree=tree, marks=marks)


_USED: TypeAdapter[Any] = TypeAdapter(dict[str, Use])
