"""The front door: ``gandream``. Commands are one file each and import what they need when run: --help is instant."""

from __future__ import annotations

import os
import sys

import typer

from gandream.base.errors import GandreamError
from gandream.cli import (
    bench,
    cache,
    doctor,
    explain,
    listen,
    measure,
    models,
    render,
    still,
    surprise,
    train,
    trajectory,
    validate,
)
from gandream.cli.stopping import stoppable

app = typer.Typer(
    name="gandream",
    help="A YAML recipe in, a finished video out: GANs that move with the music.",
    epilog="First steps: gandream render recipes/music_viz.yaml",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("render")(render.command)
app.command("still")(still.command)
app.command("trajectory")(trajectory.command)
app.command("listen")(listen.command)
app.command("explain")(explain.command)
app.command("surprise")(surprise.command)
app.command("validate")(validate.command)
app.command("train")(train.command)
app.command("measure")(measure.command)
app.command("bench")(bench.command)
app.add_typer(models.app, name="models")
app.add_typer(cache.app, name="cache")
app.command("doctor")(doctor.command)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gandream {version('gandream')}")
        raise typer.Exit


@app.callback()
def front_door(
    version: bool = typer.Option(
        False, "--version", metavar="", callback=_version, is_eager=True, help="Say the version and stop."
    ),
    debug: bool = typer.Option(False, "--debug", metavar="", help="Show where in the program an error came from."),
) -> None:
    """A YAML recipe in, a finished video out: GANs that move with the music."""


def main() -> None:
    """Run a command; errors are told in words. Status: 0 done, 1 failed, 2 the user's input, 130 or 143 stopped."""
    with stoppable():
        try:
            app()
        except GandreamError as error:
            if "--debug" in sys.argv:
                raise
            _say(str(error))
            sys.exit(error.exit_code)
        except BrokenPipeError:  # the reader of our output left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)


def _say(words: str) -> None:
    bold = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    first, *others = words.split("\n")
    print("\n".join([f"\x1b[1;31m{first}\x1b[0m" if bold else first, *others]), file=sys.stderr)
