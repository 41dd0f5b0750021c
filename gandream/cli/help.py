"""How help looks: plain columns as wide as the terminal, without a word cut off, the same in every version of typer."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable
from itertools import groupby
from typing import Any

WIDEST = 100
"""Lines that are longer are hard to read."""
LEFT = 28
"""Where a name is wider than this, its help begins on the next line."""
EVERYWHERE = "Everywhere"
"""The options that all commands share, last on each page."""


def width() -> int:
    """Columns to write in: those of the terminal, 80 where there is none, 100 at most."""
    return max(40, min(WIDEST, shutil.get_terminal_size((80, 24)).columns))


def page(command: Any, ctx: Any, columns: int, *, colours: bool) -> str:
    """The help of a command or of a group of them."""
    paint = _Paint(colours)
    params = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    arguments = [param for param in params if param.param_type_name == "argument"]
    options = [param for param in params if param.param_type_name == "option"]
    commands = getattr(command, "commands", {})
    blocks = [_usage(ctx, arguments, options, bool(commands), columns, paint)]
    blocks += _told(command.help or "", columns)
    if arguments:
        blocks.append(_table("", [(argument_name(one), one.help or "") for one in arguments], columns, paint))
    listed = [commands[name] for name in command.list_commands(ctx)] if commands else []
    for panel, rows in _panels((getattr(one, "rich_help_panel", None) or "Commands", one) for one in listed).items():
        named = [(one.name, summary(one.help or "")) for one in rows]
        blocks.append(_table(panel, named, columns, paint, least=max(map(len, commands))))
    panels = _panels((_panel_of(one), one) for one in options)
    for panel in sorted(panels, key=lambda panel: panel == EVERYWHERE):
        blocks.append(_table(panel, [_option(one) for one in panels[panel]], columns, paint))
    blocks += _told(command.epilog or "", columns)
    return "\n\n".join(filter(None, blocks)) + "\n"


def summary(help: str) -> str:
    """The first sentence of a command's help."""
    first = " ".join(help.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[.?!])\s", first, maxsplit=1)[0]


def argument_name(param: Any) -> str:
    """An argument as it is written in a usage line: RECIPE, [WORD] or RECIPE..."""
    name = param.metavar or param.name.upper()
    name += "..." if param.nargs == -1 and not name.endswith("...") else ""
    return name if param.required or name.startswith("[") else f"[{name}]"


def option_names(param: Any) -> tuple[str, str]:
    """The short name of an option, or nothing, and its long ones."""
    short = next((one for one in param.opts if not one.startswith("--")), "")
    long = ", ".join(one for one in param.opts if one.startswith("--"))
    return short, "/".join([long, *param.secondary_opts])


class _Paint:
    """Bold headings and names in cyan, or nothing of that."""

    def __init__(self, colours: bool):
        self.colours = colours

    def bold(self, text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if self.colours else text

    def name(self, text: str) -> str:
        return f"\x1b[36m{text}\x1b[0m" if self.colours else text


def _usage(ctx: Any, arguments: list[Any], options: list[Any], group: bool, columns: int, paint: _Paint) -> str:
    needed = [f"{option_names(one)[1]} {_value(one)}" for one in options if one.required]
    words = [*map(argument_name, arguments), *(["COMMAND ..."] if group else []), *needed, "[options]"]
    path = ctx.command_path
    lines = textwrap.wrap(" ".join([path, *words]), columns, subsequent_indent=" " * (len(path) + 1))
    return "\n".join([paint.bold(lines[0]), *lines[1:]])


def _told(text: str, columns: int) -> list[str]:
    """Paragraphs, wrapped anew; lines that are indented, as examples are, stay as they are, one under the other."""
    blocks: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines: list[str] = []
        for indented, group in groupby(paragraph.split("\n"), key=lambda line: line.startswith(" ")):
            own = list(group)
            lines += own if indented else _wrap(" ".join(" ".join(own).split()), columns)
        if blocks and paragraph.startswith(" "):
            blocks[-1] += "\n" + "\n".join(lines)
        else:
            blocks.append("\n".join(lines))
    return blocks


def _wrap(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns, break_on_hyphens=False, break_long_words=False)


def _panels(rows: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    panels: dict[str, list[Any]] = {}
    for panel, one in rows:
        panels.setdefault(panel, []).append(one)
    return panels


def _panel_of(param: Any) -> str:
    return getattr(param, "rich_help_panel", None) or (EVERYWHERE if param.name == "help" else "Options")


def _value(param: Any) -> str:
    if getattr(param, "is_flag", False):
        return ""
    return param.metavar if param.metavar is not None else param.name.upper()


def _option(param: Any) -> tuple[str, str]:
    short, long = option_names(param)
    first = f"{short}, {long}" if short and long else short or f"    {long}"
    return f"{first} {_value(param)}".rstrip(), " ".join(filter(None, [_help_of(param), _default_of(param)]))


def _help_of(param: Any) -> str:
    return "Show this page and stop." if param.name == "help" else param.help or ""


def _default_of(param: Any) -> str:
    default = param.default
    if (
        not getattr(param, "show_default", False)
        or callable(default)
        or default in (None, "")
        or default is False
        or param.required
    ):
        return ""
    if default is True:
        return f"[default: {param.opts[0]}]" if param.secondary_opts else ""
    return f"[default: {default}]"


def _table(heading: str, rows: list[tuple[str, str]], columns: int, paint: _Paint, *, least: int = 0) -> str:
    """Names in a column, and what they are beside them."""
    left = max([least, *(len(name) for name, _ in rows if len(name) <= LEFT)])
    lines = [paint.bold(heading)] if heading else []
    for name, about in rows:
        told = _wrap(about, columns - left - 4) or [""]
        if len(name) > left:
            lines.append(f"  {paint.name(name)}")
        else:
            lines.append(f"  {paint.name(name)}{' ' * (left - len(name))}  {told.pop(0)}".rstrip())
        lines += [f"{'':{left + 4}}{line}" for line in told]
    return "\n".join(lines)
