"""Entries of a list whose first word names their kind: ``vignette``, ``{flash: kick, colour: white}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gandream.base.errors import did_you_mean, listed
from gandream.recipe.fields import COMMAS, Word, split_by_commas, wrong


def read_entry(value: Any, kinds: Mapping[str, type[Word]], what: str, form: str) -> Any:
    """Read an entry as the kind of its name, which is the kind's first word; ``form`` shows how entries are written."""
    if isinstance(value, tuple(kinds.values())):
        return value
    written = {value: None} if isinstance(value, str) else value
    if not isinstance(written, dict) or not written:
        raise wrong(f"wanted {form}", f"Here: {listed(kinds, 99)}.")
    names = [name for name in written if name in kinds]
    if not names:
        shared = frozenset[str].intersection(*(frozenset(kind.words()) for kind in kinds.values()))
        strange = [key for key in written if key not in shared]
        near = [near for key in strange if (near := did_you_mean(str(key), kinds))]
        key = None if isinstance(value, str) else next(iter(strange or written))
        raise wrong(f"no such {what}", near[0] if near else f"There is: {listed(kinds, 99)}.", key=key)
    # Of several names the one that the others are parameters of: `zoom` is an effect, and a parameter of `trails`.
    name = next((name for name in names if set(names) <= set(kinds[name].words())), "")
    if not name:
        hint = "Write each in its own entry of the list, in the order in which they are done."
        raise wrong(f"one {what} to an entry, and here are {listed(names)}", hint, key=names[1])
    words = kinds[name].words()
    for key in written:
        if key not in words:
            near = COMMAS if split_by_commas(key) else did_you_mean(str(key), words)
            raise wrong("no such word here", near or f"Words here: {listed(words)}.", key=key)
    return kinds[name].model_validate(_main_word(name, written, kinds[name]))


def _main_word(name: str, written: dict[str, Any], kind: type[Word]) -> dict[str, Any]:
    """The words without a main one that says nothing, if there is a default for it."""
    main = written[name]
    if main is None:
        if kind.model_fields[name].is_required():
            raise wrong(f"{name} wants a value", f"For instance {{{name}: 0.5}}, or a curve.", key=name)
        return {key: value for key, value in written.items() if key != name}
    if isinstance(main, dict) and main and set(main) <= set(kind.words()):
        first = next(iter(main))
        raise wrong(f"parameters stand beside {name}, not in it", f"{{{name}: 0.5, {first}: ...}}", key=name)
    return written
