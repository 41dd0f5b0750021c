"""``gandream doctor``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from gandream.cli.options import AsJson, echo_json
from gandream.cli.voice import coloured

if TYPE_CHECKING:
    from gandream.run.doctor import Finding


def command(as_json: AsJson = False) -> None:
    """Say what is here and what to do about what is missing: torch, device, ffmpeg and its encoders, models, music."""
    from gandream.run.doctor import examine

    findings = examine()
    if as_json:
        echo_json({"good": all(one.good for one in findings), "parts": [asdict(one) for one in findings]})
    else:
        _show(findings)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)


def _show(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "part", "what is here"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        table.add_row("[green]ok[/]" if finding.good else "[red]no[/]", finding.part, escape(finding.found))
        if finding.advice:
            table.add_row("", "", f"[dim]{escape(finding.advice)}[/]")
    colours = coloured(sys.stdout)
    Console(force_terminal=colours, no_color=not colours).print(table)
