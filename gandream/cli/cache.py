"""``gandream cache``: the store of segments and of what was measured."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import aside

if TYPE_CHECKING:
    from gandream.rendering.inventory import Item

app = typer.Typer(help="See and tidy the store: finished segments of films, and what was heard in music.")

FILMS = Path("outputs")
"""Where films go, unless a person says otherwise."""
Folder = Annotated[
    Path,
    typer.Option("--folder", metavar="FOLDER", help="The films' folder, with the store in it; or set GANDREAM_CACHE."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", metavar="", help="Only say what would go.")]

LEFT = {
    "segments": "of no film any more",
    "audio": "what was heard in music",
    "pace": "walks that were measured",
}
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
AGES_S = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@app.command("list")
def list_films(folder: Folder = FILMS, as_json: AsJson = False) -> None:
    """Show each film's segments, their size, and when they were last used."""
    from gandream.rendering.films import noted
    from gandream.rendering.inventory import items

    store = _store(folder)
    found, now = items(store), time.time()
    rows = []
    for film in noted(store):
        own = [item for item in found if film in item.films]
        here = {"film": _shown(store / film.film), "recipe": film.recipe and _shown(store / film.recipe)}
        counts = {"segments": len(own), "of": len(film.segments)}
        rows.append({**here, **counts, "bytes": sum(item.size for item in own), "used": film.used})
    rest = []
    for kind, what in LEFT.items():
        own = [item for item in found if item.kind == kind and not item.films]
        if own:
            used = max(item.used for item in own)
            rest.append({"what": what, "files": len(own), "bytes": sum(item.size for item in own), "used": used})
    total = sum(item.size for item in found)
    if as_json:
        echo_json({"store": str(store), "films": rows, "others": rest, "bytes": total})
        return
    if not found:
        typer.echo(f"nothing is in {store}")
        return
    lines = [("film", "recipe", "segments", "size", "last used")]
    lines += [
        (row["film"], row["recipe"], f"{row['segments']} of {row['of']}", _size(row["bytes"]), _ago(now - row["used"]))
        for row in rows
    ]
    lines += [(row["what"], "", str(row["files"]), _size(row["bytes"]), _ago(now - row["used"])) for row in rest]
    lines.append((f"in all, in {_shown(store)}", "", str(len(found)), _size(total), ""))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    for line in lines:
        left = (cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True))
        right = (cell.rjust(width) for cell, width in zip(line[2:], widths[2:], strict=True))
        typer.echo("  ".join([*left, *right]).rstrip())


@app.command("size")
def size(folder: Folder = FILMS, as_json: AsJson = False) -> None:
    """Say how large the store is."""
    from gandream.rendering.inventory import items

    store, sizes = _store(folder), defaultdict(int)
    for item in items(store):
        sizes[item.kind] += item.size
    total = sum(sizes.values())
    if as_json:
        echo_json({"store": str(store), "bytes": total, **sizes})
    else:
        typer.echo(f"{_size(total)} in {_shown(store)}")


@app.command("prune")
def prune(
    older: Annotated[
        str | None,
        typer.Option("--older", metavar="AGE", help="What wasn't used for 30d, 12h or 2w.", show_default=False),
    ] = None,
    larger: Annotated[
        str | None,
        typer.Option(
            "--larger", metavar="SIZE", help="The longest unused, until 5GB or 500MB are left.", show_default=False
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", metavar="RECIPE", help="Segments of this recipe's films alone.", show_default=False),
    ] = None,
    unused: Annotated[
        bool, typer.Option("--unused", metavar="", help="What no film needs: of edits that were undone or replaced.")
    ] = False,
    dry_run: DryRun = False,
    folder: Folder = FILMS,
    as_json: AsJson = False,
) -> None:
    """Let go of segments; a film that needs them again renders them anew.

    With several options only that goes which each of them names. Finished films are never touched.

    Examples:
      gandream cache prune --unused

      gandream cache prune --older 30d --larger 5GB --dry-run
    """
    if older is None and larger is None and recipe is None and not unused:
        raise typer.BadParameter("nothing says what may go; wanted --older, --larger, --recipe or --unused")
    before = None if older is None else time.time() - _age(older)
    largest = None if larger is None else _bytes(larger)

    from gandream.rendering.inventory import remove, to_prune

    store = _store(folder)
    going = to_prune(store, before=before, largest=largest, recipe=recipe, unused=unused)
    if not dry_run and store.is_dir():
        remove(store, going)
    _tell(going, "would go" if dry_run else "went", as_json)


@app.command("verify")
def verify(folder: Folder = FILMS, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Read every segment, and remove those that aren't what was written. Status 1 if there are some."""
    from gandream.rendering.inventory import false_segments, remove_false
    from gandream.video.segments import segments_in

    store = _store(folder)
    count, false = len(segments_in(store / "segments")), false_segments(store)
    if not dry_run and store.is_dir():
        remove_false(store, false)
    if as_json:
        echo_json({"segments": count, "false": [str(path) for path in false], "removed": not dry_run})
    else:
        for path in false:
            aside(f"{path.name}: not what was written; {'it would be' if dry_run else 'it was'} removed")
        typer.echo(f"{count - len(false)} of {count} segments are whole")
    if false:
        raise typer.Exit(1)


def _store(folder: Path) -> Path:
    from gandream.base.errors import OutputError
    from gandream.rendering.store import store_folder

    store = store_folder(folder)
    if store.parent == folder and folder != FILMS and not folder.is_dir():
        raise OutputError(str(folder), "no such folder", "--folder names the one where your films are.")
    return store


def _tell(going: list[Item], how: str, as_json: bool) -> None:
    total = sum(item.size for item in going)
    if as_json:
        echo_json({"files": [str(item.path) for item in going], "bytes": total})
    else:
        typer.echo(f"{len(going)} file{'s' if len(going) != 1 else ''} {how}, {_size(total)}")


def _shown(path: Path) -> str:
    """A path as seen from here, or in full where that is shorter."""
    try:
        return min(os.path.relpath(path), os.path.abspath(path), key=len)
    except ValueError:  # another drive
        return os.path.abspath(path)


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            break
        count, unit = count / 1000, "TB"
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"


def _ago(seconds: float) -> str:
    for unit, least, name in ((86400, 2, "days"), (3600, 2, "hours"), (60, 2, "minutes")):
        if seconds >= least * unit:
            return f"{seconds // unit:.0f} {name} ago"
    return "just now"


def _age(written: str) -> float:
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*([smhdw])", written.strip())
    if match is None:
        raise typer.BadParameter(f"'{written}' is no age; wanted such as 30d, 12h or 2w", param_hint="--older")
    return float(match[1]) * AGES_S[match[2]]


def _bytes(written: str) -> int:
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?)(i?)B?", written.strip(), re.IGNORECASE)
    if match is None:
        raise typer.BadParameter(f"'{written}' is no size; wanted such as 5GB or 500MB", param_hint="--larger")
    unit = match[2].upper()
    return int(float(match[1]) * (2 ** (10 * list(UNITS).index(unit)) if match[3] else UNITS[unit]))
