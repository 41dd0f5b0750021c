"""Mistakes on the command line, in the same words as all others: where, what is wrong, what to do."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import typer

from gandream.base.errors import GandreamError, did_you_mean
from gandream.cli.help import argument_name, option_names, page, width
from gandream.cli.voice import coloured

# Which library declares it depends on the version of typer.
Misuse = cast("type[Exception]", typer.BadParameter.__mro__[1])


class UsageError(GandreamError):
    """The command line can't be understood; a ``page`` of help is shown instead of the words, where there is one."""

    page = ""


@contextmanager
def in_our_words(ctx: Any, words: Sequence[str]) -> Iterator[None]:
    """Turn what typer has against the words after a command into a UsageError."""
    try:
        yield
    except Misuse as error:
        raise mistake(error, ctx, words) from None


def mistake(error: Any, ctx: Any, words: Sequence[str]) -> UsageError:
    """What typer has against a command line, in our words."""
    path, more = ctx.command_path, f"`{ctx.command_path} --help` tells what there is."
    kind, param = type(error).__name__, getattr(error, "param", None)
    if kind == "MissingParameter" and param is not None:
        wanted = argument_name(param) if param.param_type_name == "argument" else _long(param)
        return UsageError(path, f"{wanted} is missing", _usage(ctx))
    if kind == "NoSuchOption":
        known = [name for one in ctx.command.get_params(ctx) for name in (*one.opts, *one.secondary_opts)]
        long = {name.removeprefix("--"): name for name in known if name.startswith("--")}
        near = did_you_mean(error.option_name.lstrip("-"), long)
        near = re.sub("'(.*)'", lambda found: f"'{long[found[1]]}'", near)
        return UsageError(f"{path} {error.option_name}", "no such option", f"{near} {more}".strip())
    if kind == "BadOptionUsage":
        return _bad_option(error, ctx, path, more)
    if param is not None:
        name = argument_name(param) if param.param_type_name == "argument" else _long(param)
        value = _given(param, words)
        where = " ".join(filter(None, [path, name, value]))
        return UsageError(where, _bad_value(param, error.message, value), more)
    if kind == "NoArgsIsHelpError" or error.message.startswith("Missing command"):
        return no_command(ctx, None)
    hint = getattr(error, "param_hint", None)
    if extra := re.match(r"Got unexpected extra argument.*? \((.*)\)", error.message):
        return UsageError(f"{path} {extra[1]}", "there is no place for this", _usage(ctx))
    return UsageError(f"{path} {hint}" if isinstance(hint, str) else path, error.message.rstrip("."), more)


def no_command(ctx: Any, word: str | None) -> UsageError:
    """A group without one of its commands."""
    more = f"`{ctx.command_path} --help` lists the commands."
    if word is None:
        missing = UsageError(ctx.command_path, "a command is missing", more)
        missing.page = page(ctx.command, ctx, width(), colours=coloured(sys.stderr))
        return missing
    if word.startswith("-"):
        return UsageError(f"{ctx.command_path} {word}", "no such option", more)
    near = did_you_mean(word, ctx.command.commands)
    return UsageError(f"{ctx.command_path} {word}", "no such command", f"{near} {more}".strip())


def _usage(ctx: Any) -> str:
    params = ctx.command.get_params(ctx)
    arguments = [argument_name(one) for one in params if one.param_type_name == "argument"]
    needed = [f"{_long(one)} {one.metavar}" for one in params if one.param_type_name == "option" and one.required]
    return f"It is: {' '.join([ctx.command_path, *arguments, *needed, '[options]'])}"


def _long(param: Any) -> str:
    short, long = option_names(param)
    return long or short


def _given(param: Any, words: Sequence[str]) -> str:
    """The value that an option has on the command line."""
    for at, word in enumerate(words):
        for name in param.opts:
            if word == name and at + 1 < len(words):
                return words[at + 1]
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
    return ""


def _bad_option(error: Any, ctx: Any, path: str, more: str) -> UsageError:
    param = next((one for one in ctx.command.get_params(ctx) if error.option_name in one.opts), None)
    where = f"{path} {error.option_name}"
    if param is None or getattr(param, "is_flag", False):
        return UsageError(where, "it takes no value", more)
    return UsageError(where, "its value is missing", f"It is: {_long(param)} {param.metavar or 'VALUE'}")


def _bad_value(param: Any, message: str, value: str) -> str:
    told = getattr(getattr(param, "type_descriptor", None), "annotation", None) or getattr(param.type, "name", "")
    if not re.search(r"int|float", str(told)):
        return message.rstrip(".")
    number = "whole number" if "int" in str(told) else "number"
    low, high = (_end(param, end) for end in ("min", "max"))
    ends = f" of {low} or more" if high is None else f" of {high} or less" if low is None else f" from {low} to {high}"
    return f"'{value}' is no {number}{ends if low is not None or high is not None else ''}"


def _end(param: Any, end: str) -> Any:
    """The least or the largest value, which is the option's or its type's, by the version of typer."""
    found = getattr(param, end, None)
    return getattr(getattr(param, "type", None), end, None) if found is None else found
