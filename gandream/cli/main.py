"""The front door: ``gandream``. Commands are one file each and import what they need when run: --help is instant."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import typer

from gandream.base.errors import GandreamError
from gandream.cli import (
    bench,
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
    """Run a command; errors are told in words. Status: 0 done, 1 failed, 2 the user's input, 130 stopped."""
    asked: list[int] = []

    def stop(number: int, frame: Any) -> None:
        asked.append(number)
        raise Stopped

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup and shells ask for what runs in the background
            signal.signal(number, stop)
    try:
        app()
    except BaseException as error:
        if asked:  # whatever came of it on the way out
            _say("Stopped. What is finished is kept: the same command goes on from there.")
            sys.stderr.flush()
            os._exit(130)  # threads may be deep in torch; the interpreter's own way out would abort under them
        if isinstance(error, GandreamError) and "--debug" not in sys.argv:
            _say(str(error))
            sys.exit(error.exit_code)
        if isinstance(error, BrokenPipeError):  # the reader of our output left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        raise


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not KeyboardInterrupt, which typer swallows without a word."""


def _say(words: str) -> None:
    bold = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    first, *others = words.split("\n")
    print("\n".join([f"\x1b[1;31m{first}\x1b[0m" if bold else first, *others]), file=sys.stderr)
