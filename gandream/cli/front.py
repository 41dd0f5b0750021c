"""What all commands have in common: help, mistakes in our words, and the options -q, -v and --debug."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from gandream.cli.help import EVERYWHERE, page, width
from gandream.cli.usage import in_our_words, no_command
from gandream.cli.voice import coloured, detail, speak, voice

Quiet = Annotated[
    bool,
    typer.Option("-q", "--quiet", metavar="", help="Say no notes and no progress.", rich_help_panel=EVERYWHERE),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "-v", "--verbose", metavar="", help="Say what is done and how long it takes.", rich_help_panel=EVERYWHERE
    ),
]
Debug = Annotated[
    bool,
    typer.Option(
        "--debug", metavar="", help="Show where in the program an error came from.", rich_help_panel=EVERYWHERE
    ),
]
SHARED = {"quiet": Quiet, "verbose": Verbose, "debug": Debug}


class Command(TyperCommand):
    """A command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words after the command."""
        with in_our_words(ctx, tuple(args)):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Do it."""
        with in_our_words(ctx, ()):
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _write_help(self, ctx, formatter)


class Group(TyperGroup):
    """A command of commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words up to the command."""
        with in_our_words(ctx, tuple(args)):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is meant."""
        if args and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            raise no_command(ctx, args[0])
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Do it."""
        with in_our_words(ctx, ()):
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        _write_help(self, ctx, formatter)


class ListFirst(Group):
    """A command of commands that lists where no command is named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words up to the command."""
        named = any(word in self.commands or word in ("-h", "--help") for word in args)
        if not named and (not args or args[0].startswith("-")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def _write_help(command: Any, ctx: Any, formatter: Any) -> None:
    ctx.color = coloured(sys.stdout)
    formatter.write(page(command, ctx, width(), colours=ctx.color))


def dress(app: typer.Typer, cls: type[Group] = Group) -> None:
    """Give all commands of an app, and of the apps in it, what they have in common."""
    app.info.cls = cls
    app.info.context_settings = {"help_option_names": ["-h", "--help"]}
    for command in app.registered_commands:
        command.cls = Command
        if command.callback is not None:
            command.callback = spoken(command.callback)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            own = group.typer_instance.info.cls
            group.cls = own if isinstance(own, type) and issubclass(own, Group) else Group
            group.typer_instance.callback()(spoken(_nothing))
            dress(group.typer_instance, group.cls)


def _nothing() -> None:
    pass


def tune(quiet: bool, verbose: bool, debug: bool, as_json: bool = False) -> None:
    """Add what an option asks for to what was asked for before."""
    now = voice()
    speak(
        replace(
            now,
            quiet=now.quiet or quiet,
            verbose=now.verbose or verbose,
            debug=now.debug or debug,
            as_json=now.as_json or as_json,
        )
    )


def _annotated(hint: Any) -> Any:
    """A hint with what typer reads outermost: Python 3.10 puts what is None by default into Optional once more."""
    inside = [one for one in get_args(hint) if get_origin(one) is Annotated]
    return inside[0] if inside and get_origin(hint) is Union else hint


def spoken(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command with the shared options after its own."""
    hints = {name: _annotated(hint) for name, hint in get_type_hints(command, include_extras=True).items()}
    hints.pop("return", None)
    signature = inspect.signature(command)
    own = [one.replace(annotation=hints.get(name, one.annotation)) for name, one in signature.parameters.items()]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
        for name, kind in SHARED.items()
    ]

    @functools.wraps(command)
    def run(**values: Any) -> Any:
        began = time.perf_counter()
        tune(*(values.pop(name) for name in SHARED), as_json=bool(values.get("as_json")))
        result = command(**values)
        if command is not _nothing:
            detail(f"in all: {time.perf_counter() - began:.2f} s")
        return result

    run.__annotations__ = {**hints, **SHARED}
    run.__signature__ = signature.replace(parameters=[*own, *shared])  # pyright: ignore[reportAttributeAccessIssue]
    del run.__wrapped__  # or its annotations would be read again, in their own module
    return run
