"""``gandream models``: what is here, and bringing more."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import aside, voice, watched

if TYPE_CHECKING:
    from gandream.models.catalogue import Added

app = typer.Typer(help="List, add and remove models, say what is in one, convert one.")

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="A file, an added model's name, or cppn#7.", show_default=False)
]


@app.command("list")
def list_(
    known: Annotated[
        bool, typer.Option("--known", metavar="", help="The public models that can be fetched by name instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the models that are here; with --known, those that can be fetched by name."""
    from gandream.models.catalogue import KNOWN, added
    from gandream.models.registry import BUILT_IN, describe, shipped

    if known:
        _list_known(as_json)
        return
    here = added()
    if as_json:
        echo_json({"models": [*_always_here(), *(_plain(one) for one in here)]})
        return
    width = max(16, *(len(one.name) for one in here), *map(len, shipped())) if here else 16
    for family in BUILT_IN.values():
        typer.echo(f"{family.name + '#SEED':<{width}} {family.about}")
    for name in shipped():
        typer.echo(f"{name:<{width}} {describe(name).family}, ships with gandream")
    for one in here:
        typer.echo(f"{one.name:<{width}} {one.path.stat().st_size / 1e6:.1f} MB, added from {one.source}")
    aside(f"{len(KNOWN)} public models can be fetched by name: gandream models list --known")


def _always_here() -> Iterator[dict[str, Any]]:
    from gandream.models.registry import BUILT_IN, describe, shipped

    for family in BUILT_IN.values():
        yield {"name": f"{family.name}#SEED", "kind": "drawn by seed", "about": family.about}
    for name in shipped():
        yield {"name": name, "kind": "ships", "about": describe(name).family}


def _plain(one: Added) -> dict[str, Any]:
    facts = {"name": one.name, "kind": "added", "source": one.source, "file": str(one.path)}
    return {**facts, "bytes": one.path.stat().st_size, "sha256": one.sha256}


def _list_known(as_json: bool) -> None:
    from gandream.models.catalogue import KNOWN, added

    here = {one.source for one in added()}
    if as_json:
        words = ("source", "family", "about", "megabytes", "licence", "tried")
        told = [
            {"name": name, **{word: getattr(entry, word) for word in words}, "here": entry.source in here}
            for name, entry in KNOWN.items()
        ]
        echo_json({"models": told})
        return
    rows = [("", "NAME", "SIZE", "FAMILY", "SHOWS", "LICENCE")]
    for name, entry in KNOWN.items():
        size = f"{entry.megabytes} MB" if entry.megabytes else "?"
        rows.append(("*" if entry.source in here else "", name, size, entry.family, entry.about, entry.licence))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for mark, name, size, family, about, licence in rows:
        first = f"{mark:<1} {name:<{widths[1]}}  {size:>{widths[2]}}  {family:<{widths[3]}}"
        typer.echo(f"{first}  {about:<{widths[4]}}  {licence}")
    aside("* is here already. Add one with: gandream models add NAME")
    tried = [name for name, entry in KNOWN.items() if entry.tried]
    aside(f"Addresses are as published. Tried with gandream so far: {', '.join(tried)}.")


@app.command()
def add(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="What to call it; or a known name or SOURCE alone.", show_default=False),
    ],
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="SOURCE",
            help="A file, an http(s) address, hf://owner/repo/file (or file@revision), or pypi:package==1.0#file.",
            show_default=False,
        ),
    ] = None,
    called: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it.", show_default=False)
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="SUM", help="Refuse any other file.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch a model once and keep it for `model: NAME`. Nothing in it is executed.

    A download that broke off goes on where it was when the same command runs again.
    Proxies are the environment's; with GANDREAM_OFFLINE=1 nothing is fetched.

    Examples:
      gandream models add faces64
      gandream models add mine https://example.org/network.pkl
    """
    from gandream.base.errors import CheckpointError
    from gandream.models.catalogue import KNOWN, add, remote

    if source is None:
        name, source = called or "", name
    elif called is not None:
        raise CheckpointError(name, "it has two names", f"gandream models add {called} {source}")
    elif (remote(name) or Path(name).is_file()) and not (remote(source) or Path(source).is_file()):
        raise CheckpointError(name, "the name comes first", f"gandream models add {source} {name}")
    if source in KNOWN:
        aside(f"Licence: {KNOWN[source].licence}")
    with _bytes_shown(source) as progress:
        found = add(source, name or None, sha256=sha256, progress=progress)
    if as_json:
        echo_json(_plain(found))
        return
    typer.echo(f"{found.name}: added. Write `model: {found.name}` in a recipe.")
    aside(f"SHA-256 {found.sha256}")


@contextmanager
def _bytes_shown(source: str) -> Iterator[Callable[[int, int | None], None]]:
    """Say how far a download is on standard error: a line that changes on a terminal, else one now and then."""
    terminal, last, began = watched(), 0.0, None

    def progress(done: int, total: int | None) -> None:
        nonlocal last, began
        if voice().quiet:
            return
        now = time.monotonic()
        began = began or (now, done)
        if now - last < (0.2 if terminal else 10) and done != total:
            return
        last = now
        of = f" of {total / 1e6:.1f} MB, {100 * done / max(total, 1):.0f} %" if total else " MB"
        speed = f", {(done - began[1]) / (now - began[0]) / 1e6:.1f} MB/s" if now - began[0] > 1 else ""
        line = f"{done / 1e6:.1f}{of}{speed}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if terminal and began:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An added model.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Remove a model that was added."""
    from gandream.models.catalogue import remove

    gone = remove(name)
    if as_json:
        echo_json({"name": gone.name, "source": gone.source})
    else:
        typer.echo(f"{gone.name}: removed")


@app.command()
def info(
    model: Model,
    as_json: AsJson = False,
    timed: Annotated[bool, typer.Option("--time", metavar="", help="Load it and time its pictures here.")] = False,
    device: Annotated[str, typer.Option("--device", metavar="DEVICE", help="What --time renders on.")] = "auto",
) -> None:
    """Say what a model is: family, configuration, parameters, layers, classes, licence, how it was trained.

    With --time also how long a picture takes here, in the precision and the batches of a render.
    """
    from gandream.cli.facts import facts_of, lines
    from gandream.cli.options import warn

    found = facts_of(model, device if timed else None)
    warn(tuple(found["warnings"]))
    if as_json:
        echo_json(found)
    else:
        typer.echo("\n".join(lines(found)))


@app.command()
def convert(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A file, or an added model's name.", show_default=False)
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.safetensors", help="The new file.", show_default=False)],
    precision: Annotated[
        str, typer.Option("--precision", metavar="float32|float16", help="Of the weights; float16 is half the size.")
    ] = "float32",
    check: Annotated[
        bool, typer.Option("--check", metavar="", help="Render four seeds with both and say how far they differ.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", metavar="", help="Overwrite a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write any model as gandream's own file: safetensors, of the generator alone, with the same pictures.

    Example:
      gandream models convert network.pkl mine.safetensors --check
    """
    from typing import cast

    from gandream.models.convert import Precision, convert, difference
    from gandream.models.registry import load_generator

    if precision not in ("float32", "float16"):
        raise typer.BadParameter(f"'{precision}' is no precision; wanted float32 or float16", param_hint="--precision")
    generator = convert(model, out, base=Path.cwd(), precision=cast(Precision, precision), force=force)
    size, family = out.stat().st_size, generator.spec.family
    if not as_json:
        typer.echo(f"{out}: {size / 1e6:.1f} MB, {family}")
    largest = difference(generator, load_generator(str(out), "cpu", base=Path.cwd())) if check else None
    if as_json:
        echo_json({"file": str(out), "bytes": size, "family": family, "largest_difference": largest})
    elif check:
        typer.echo(f"largest difference of display values (0 to 255) over 4 seeds: {largest}")
