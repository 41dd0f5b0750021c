"""Which class each picture of a folder is of: by a file of labels at its top, or by its sub-folders."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from gandream.base.errors import GandreamError, did_you_mean, listed

FILES = ("labels.json", "dataset.json", "labels.csv")
_HEADERS = frozenset(("file", "filename", "file_name", "image", "picture", "path", "name"))
_KINDS: dict[type, str] = {str: "names", int: "numbers"}
_FORMS = 'Write {"picture.png": "class", ...} or {"labels": [["picture.png", 0], ...]}.'
_NEAR = 2000
"""Names that a misspelt one is compared with at most."""

Label = str | int


class Row(NamedTuple):
    """One line of a file of labels, as it was read."""

    where: str
    name: str
    label: Any


def find_labels(folder: Path, names: Sequence[str]) -> dict[str, Label] | None:
    """Class of each picture by its name, a path relative to the folder with ``/``; None: the folder has no classes.

    ``labels.json`` and ``dataset.json`` hold ``{"file": class, ...}`` or ``{"labels": [["file", class], ...]}``, and
    ``labels.csv`` rows of file and class. A class is a name or a number from 0 on. Without such a file, sub-folders are
    classes where at least two hold pictures and none lies beside them.

    Raises:
        GandreamError: the file of labels can't be read, names what isn't there, or leaves a picture without a class.
    """
    there = [file for file in FILES if (folder / file).is_file()]
    if len(there) > 1:
        raise GandreamError(str(folder), f"there are {listed(there)}, and they may differ", "Keep one of them.")
    if there:
        return _of_file(folder / there[0], names)
    tops = [PurePosixPath(name).parts for name in names]
    if all(len(parts) > 1 for parts in tops) and len({parts[0] for parts in tops}) > 1:
        return {name: parts[0] for name, parts in zip(names, tops, strict=True)}
    return None


def numbered(labels: Iterable[Label]) -> tuple[tuple[str, ...], dict[Label, int]]:
    """Names of the classes that occur, and the number of each: in the order of their numbers or of the alphabet."""
    classes: list[Label] = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
    return tuple(str(label) for label in classes), {label: number for number, label in enumerate(classes)}


def _of_file(file: Path, names: Sequence[str]) -> dict[str, Label] | None:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "the file isn't UTF-8 text"
        raise GandreamError(str(file), f"can't be read: {problem}", "Save it as text in UTF-8.") from error
    rows = _of_csv(file, text, names) if file.suffix == ".csv" else _of_json(file, text)
    if rows is None:
        return None
    labels = _checked(rows, file.parent, names)
    missing = [name for name in names if name not in labels]
    if missing:
        problem = f"{len(missing)} of {len(names)} pictures have no class here: {listed(missing, 5)}"
        raise GandreamError(str(file), problem, "Give each picture a class, or take it out of the folder.")
    return labels


def _of_json(file: Path, text: str) -> list[Row] | None:
    """Rows of either form; None where the list of labels is null."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        problem = f"this isn't JSON: {getattr(error, 'msg', 'nested too deeply')}"
        where = f"{file}:{getattr(error, 'lineno', 1)}:{getattr(error, 'colno', 1)}"
        raise GandreamError(where, problem, _FORMS) from error
    if not isinstance(content, dict):
        raise GandreamError(str(file), f"labels by file are wanted, not {_shown(content)}", _FORMS)
    pairs = content.get("labels", ())
    if pairs is None:
        return None
    if not isinstance(pairs, list):
        return [Row(f"{file}  {name}", name, label) for name, label in content.items()]
    for number, pair in enumerate(pairs):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            where = f"{file}  labels[{number}]"
            raise GandreamError(where, f"a pair [file, class] is wanted, not {_shown(pair)}", _FORMS)
    return [Row(f"{file}  labels[{number}]", *pair) for number, pair in enumerate(pairs)]


def _of_csv(file: Path, text: str, names: Sequence[str]) -> list[Row]:
    """Rows of a table parted by commas, semicolons or tabs; classes that are all numbers are numbers."""
    first = text.partition("\n")[0]
    rows: list[Row] = []
    for number, cells in enumerate(csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count)), 1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or (number == 1 and cells[0].lower() in _HEADERS and cells[0] not in names):
            continue
        if len(cells) != 2:
            problem = f"two columns are wanted, file and class, not {len(cells)}"
            raise GandreamError(f"{file}:{number}", problem, "Put names that have a comma in them in quotes.")
        rows.append(Row(f"{file}:{number}", *cells))
    if all(isinstance(row.label, str) and row.label.isdecimal() for row in rows):
        rows = [row._replace(label=int(row.label)) for row in rows]
    return rows


def _checked(rows: Iterable[Row], folder: Path, names: Sequence[str]) -> dict[str, Label]:
    """The rows as a mapping, each of a picture that is there and with a class of one kind."""
    known, labels, kind = set(names), {}, None
    for where, name, label in rows:
        if isinstance(label, bool) or not isinstance(label, str | int) or label == "":
            hint = "One class for each picture." if isinstance(label, list | dict) else ""
            raise GandreamError(where, f"a class is a name or a number, not {_shown(label)}", hint)
        if isinstance(label, int) and label < 0:
            raise GandreamError(
                where, f"classes are numbered from 0 on, not {label}", "Number them from 0, or give names."
            )
        kind = kind or type(label)
        if not isinstance(label, kind):
            raise GandreamError(
                where, f"{_shown(label)} stands among {_KINDS[kind]}", "Use names or numbers, not both."
            )
        plain = PurePosixPath(name.replace("\\", "/")).as_posix()
        plain = name if name in known else plain
        if plain not in known:
            raise _not_there(where, plain, folder, names)
        if labels.setdefault(plain, label) != label:
            raise GandreamError(
                where,
                f"{plain} is of class {_shown(label)} here and {_shown(labels[plain])} before",
                "Leave one of the two out.",
            )
    return labels


def _not_there(where: str, name: str, folder: Path, names: Sequence[str]) -> GandreamError:
    if os.path.isfile(folder / name):
        return GandreamError(where, f"{name} is no picture that can be read here", "Take it out of the labels.")
    last = PurePosixPath(name).name
    same = [other for other in names if PurePosixPath(other).name == last]
    near = f"Did you mean '{same[0]}'?" if same else did_you_mean(name, names[:_NEAR])
    return GandreamError(where, f"there is no picture {name} in {folder}", near or "Paths are relative to the folder.")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
