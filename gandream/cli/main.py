"""The front door: ``gandream``. Commands are one file each and import what they need when run: --help is instant."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from gandream.base.calm import wait_asleep
from gandream.base.errors import GandreamError, RenderError
from gandream.cli import (
    batch,
    bench,
    cache,
    compare,
    completion,
    diff,
    doctor,
    explain,
    jobs,
    listen,
    measure,
    models,
    new,
    plan,
    preview,
    recipe_of,
    reference,
    render,
    schedule,
    schema,
    sheet,
    still,
    surprise,
    train,
    trajectory,
    validate,
    watch,
)
from gandream.cli.front import Debug, Group, Quiet, Verbose, dress, tune
from gandream.cli.help import EVERYWHERE
from gandream.cli.mistakes import plain
from gandream.cli.stopping import stoppable
from gandream.cli.voice import Voice, coloured, speak, voice

PROGRAM = "gandream"
COMPLETE = "_GANDREAM_COMPLETE"
DAY: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "Write": {
        "new": new.command,
        "surprise": surprise.command,
        "validate": validate.command,
        "schema": schema.command,
        "reference": reference.command,
        "explain": explain.command,
        "listen": listen.command,
    },
    "Look": {
        "still": still.command,
        "preview": preview.command,
        "watch": watch.command,
        "sheet": sheet.command,
        "compare": compare.command,
        "plan": plan.command,
    },
    "Keep": {
        "render": render.command,
        "batch": batch.command,
        "jobs": jobs.app,
        "schedule": schedule.command,
        "recipe": recipe_of.command,
        "diff": diff.command,
        "trajectory": trajectory.command,
        "cache": cache.app,
    },
    "Models": {
        "models": models.app,
        "train": train.command,
        "measure": measure.command,
    },
    "Machine": {
        "doctor": doctor.command,
        "bench": bench.command,
        "completion": completion.command,
    },
}
"""An artist's day: all commands in the order in which help shows them, under its headings."""
STATUS = """\
First steps:
  gandream new film --song song.mp3
  gandream watch film.yaml
  gandream render film.yaml

A command ends with status 0 when it is done, 1 when the work failed (or `diff` found a difference), 2 when something that was written is wrong, 130 after Ctrl-C, 143 after SIGTERM.
"""  # noqa: E501


class FrontDoor(Group):
    """All commands, in the order of the day."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order in which help shows them."""
        return [name for commands in DAY.values() for name in commands]


app = typer.Typer(
    name=PROGRAM,
    help="A YAML recipe in, a finished video out: GANs that move with the music.",
    epilog=STATUS,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for panel, commands in DAY.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)
dress(app, FrontDoor)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback()
def front_door(
    ctx: typer.Context,
    version: bool = typer.Option(
        False,
        "--version",
        metavar="",
        callback=_version,
        is_eager=True,
        help="Say the version and stop.",
        rich_help_panel=EVERYWHERE,
    ),
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """A YAML recipe in, a finished video out: GANs that move with the music."""
    ctx.color = coloured(sys.stdout)  # what is printed is stripped of colours elsewhere
    tune(quiet, verbose, debug)


def main() -> None:
    """Run a command; errors are told in words. Status: 0 done, 1 failed, 2 the user's input, 130 or 143 stopped."""
    speak(Voice())
    _take_every_character()
    if shell := os.environ.get(COMPLETE):
        from gandream.cli.complete import complete

        complete(app, shell, sys.argv[1:])
        return
    wait_asleep()
    with stoppable():
        try:
            app(prog_name=PROGRAM)
        except GandreamError as error:
            _tell(error)
        except BrokenPipeError:  # the reader of our output left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as error:
            _tell(_unforeseen(error))


def _take_every_character() -> None:
    """Have standard output take those that it lacks: on Windows a pipe has those of one language, but for programs, and
    their JSON, it is UTF-8; elsewhere they are written as escapes.
    """
    if not isinstance(sys.stdout, io.TextIOWrapper) or sys.stdout.encoding.lower().replace("-", "") == "utf8":
        return
    if sys.platform == "win32" and not sys.stdout.isatty() and "PYTHONIOENCODING" not in os.environ:
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(errors="backslashreplace")


def _unforeseen(error: Exception) -> GandreamError:
    """An error that nobody wrote words for."""
    import traceback

    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(os.path.dirname(last.filename))}/{os.path.basename(last.filename)}:{last.lineno}"
    found = RenderError(
        place,
        f"{type(error).__name__}: {error}",
        "This is a mistake in gandream or in what it stands on. With --debug it says more: please tell it with that.",
    )
    found.__cause__ = error
    return found


def _tell(error: GandreamError) -> None:
    """Say what went wrong, on standard error and for programs that asked for JSON on standard output; and end."""
    if voice().debug or "--debug" in sys.argv[1:]:
        import traceback

        traceback.print_exception(error)
    first, *others = str(error).split("\n")
    red = coloured(sys.stderr)
    said = "\n".join([f"\x1b[1;31m{first}\x1b[0m" if red else first, *others])
    print(getattr(error, "page", "") or said, file=sys.stderr)
    # What is wrong with the words themselves is found before --json is.
    if voice().as_json or "--json" in sys.argv[1:]:
        others = [plain(other) for other in getattr(error, "others", ())]
        told = {**plain(error), "exit": error.exit_code, **({"others": others} if others else {})}
        print(json.dumps({"error": told}, indent=1, ensure_ascii=False))
    sys.exit(error.exit_code)
