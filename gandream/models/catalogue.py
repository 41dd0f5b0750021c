"""Models that a person added by name: fetched when asked for, kept per user, checked at every use. Loads no torch.

A model is a folder of the shelf: the file as it came, and ``model.json`` with where it is from and its SHA-256. A
render never fetches anything; it says which command would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gandream.base.errors import CheckpointError, did_you_mean, listed
from gandream.base.files import published, writable_folder
from gandream.base.hashing import file_fingerprint

MAX_BYTES = 8 << 30
"""Of a model file."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Entry:
    """A model that can be fetched: where from, its SHA-256, and what must be known about its licence."""

    source: str
    sha256: str
    about: str
    licence: str


KNOWN: dict[str, Entry] = {
    "faces64": Entry(
        "pypi:gan-face-generate==1.1.1#gan_face_generate/weights.tar",
        "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f",
        "faces, 64x64 (DCGAN)",
        "Its code is MIT (Chien Liu), but it was trained on DigiFace-1M, which is for non-commercial research only.",
    ),
}
"""Models known by name."""


@dataclass(frozen=True)
class Added:
    """A model on the shelf."""

    name: str
    path: Path
    source: str
    sha256: str
    licence: str = ""


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


def find(name: str) -> Added | None:
    """A model on the shelf, or None; CheckpointError if its file is no longer what was added."""
    found = _read(name) if NAME.fullmatch(name) else None
    if found is None:
        return None
    again = f"gandream models remove {name}, and add it again."
    if not found.path.is_file():
        raise CheckpointError(name, f"the file of this model is gone: {found.path}", again)
    if file_fingerprint(found.path) != found.sha256:
        raise CheckpointError(name, f"the file of this model changed since it was added: {found.path}", again)
    return found


def how_to_get(name: str) -> str:
    """What to do about a name that isn't on the shelf, or nothing."""
    if name in KNOWN:
        return f"Fetch it with: gandream models add {name}"
    near = did_you_mean(name, [*KNOWN, *(one.name for one in added())])
    return near


def add(word: str, name: str | None = None) -> Added:
    """Put a model on the shelf, whole or not at all: a known name, ``pypi:package==version#path``, or a file."""
    entry = KNOWN.get(word)
    source = entry.source if entry else word
    name = name or (word if entry else _name_of(source))
    if not NAME.fullmatch(name):
        raise CheckpointError(
            word, f"'{name}' can't be a model's name", "Give one with --name: letters, digits, - and _."
        )
    if name in KNOWN and word != name:
        raise CheckpointError(word, f"'{name}' is the name of a known model", "Give another with --name.")
    if name in _built_in():
        raise CheckpointError(word, f"'{name}' is the name of a model that is always here", "Give another with --name.")
    if (there := _read(name)) is not None:
        raise CheckpointError(
            name, f"a model of this name is here already, from {there.source}", f"gandream models remove {name}"
        )
    folder = writable_folder(shelf())
    with tempfile.TemporaryDirectory(prefix=".adding-", dir=folder) as work:
        file = _fetch(source, Path(work))
        digest = file_fingerprint(file)
        if entry and digest != entry.sha256:
            problem = f"what was fetched has the SHA-256 {digest[:16]}…, and the known model has {entry.sha256[:16]}…"
            raise CheckpointError(word, problem, "It was not added.")
        whole = Path(work) / "whole"
        whole.mkdir()
        target = whole / f"model{file.suffix}"
        os.replace(file, target)
        _check(target, word)
        content = {"source": source, "sha256": digest, "file": target.name, "licence": entry.licence if entry else ""}
        with published(whole / "model.json") as part:
            part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(whole, folder / name)
    found = _read(name)
    assert found is not None
    return found


def _built_in() -> Collection[str]:
    from gandream.models.registry import BUILT_IN  # it imports this module

    return BUILT_IN


def _check(file: Path, word: str) -> None:
    """CheckpointError about ``word`` where a file is no model that is known here; only its structure is read."""
    from gandream.models.files import describe_file
    from gandream.models.registry import FROM_FILES

    try:
        describe_file(file, FROM_FILES)
    except CheckpointError as error:
        raise CheckpointError(word, error.problem, f"{error.hint} Nothing was added.".strip()) from error


def remove(name: str) -> Added:
    """Take a model from the shelf."""
    found = _read(name) if NAME.fullmatch(name) else None
    if found is None:
        here = [one.name for one in added()]
        hint = did_you_mean(name, here) or (f"Here: {listed(here)}." if here else "None was added yet.")
        raise CheckpointError(name, "no model of this name was added", hint)
    shutil.rmtree(found.path.parent)
    return found


def _read(name: str) -> Added | None:
    try:
        content = json.loads((shelf() / name / "model.json").read_text(encoding="utf-8"))
        path = shelf() / name / Path(str(content["file"])).name
        return Added(name, path, str(content["source"]), str(content["sha256"]), str(content.get("licence", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _name_of(source: str) -> str:
    if source.startswith("pypi:"):
        return _wheel_source(source)[0]
    return re.sub(r"[^A-Za-z0-9_.-]", "_", Path(source).stem)


def _fetch(source: str, work: Path) -> Path:
    """Bring the file of a source into a folder."""
    if source.startswith("pypi:"):
        return _from_wheel(source, work)
    path = Path(source).expanduser()
    if not path.is_file():
        known = f"Known by name: {listed(f'{name} ({entry.about})' for name, entry in KNOWN.items())}."
        raise CheckpointError(
            source, "no such file, and no model known by this name", did_you_mean(source, KNOWN) or known
        )
    return Path(shutil.copyfile(path, work / f"copy{path.suffix}"))


def _wheel_source(source: str) -> tuple[str, str, str]:
    """Package, version, and path in the wheel."""
    match = re.fullmatch(r"pypi:([A-Za-z0-9][\w.-]*)==([\w.!+-]+)#([\w./-]+)", source, re.ASCII)
    if match is None:
        hint = "It is written pypi:package==version#path/in/the/wheel"
        raise CheckpointError(source, "can't read this source", hint)
    return match[1], match[2], match[3]


def _from_wheel(source: str, work: Path) -> Path:
    """One file out of a wheel, which is downloaded and never installed."""
    package, release, member = _wheel_source(source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
    ]
    done = subprocess.run(
        [*command, "--quiet", "--dest", str(work), f"{package}=={release}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    wheels = list(work.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        if "No module named pip" in done.stderr:
            raise CheckpointError(
                source, "pip isn't in this environment, and fetches such models", "python -m ensurepip"
            )
        why = said[-1].removeprefix("ERROR: ") if said else "pip gave no wheel"
        raise CheckpointError(source, f"it can't be fetched: {why}", "Is there a network? Nothing was added.")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            facts = wheel.getinfo(member)
            if facts.file_size > MAX_BYTES:
                raise CheckpointError(source, f"the file in it is larger than {MAX_BYTES >> 30} GiB")
            target = work / f"fetched{Path(member).suffix}"
            with wheel.open(facts) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise CheckpointError(source, f"the wheel holds no {member}", "Nothing was added.") from error
    return target
