"""``gandream doctor``."""

from __future__ import annotations

import typer


def command() -> None:
    """Say what is here and what to do about what is missing: torch, device, ffmpeg and its encoders, models, music."""
    from rich.console import Console
    from rich.table import Table

    from gandream.run.doctor import examine

    findings = examine()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "part", "what is here"):
        table.add_column(title)
    for finding in findings:
        table.add_row("[green]ok[/]" if finding.good else "[red]no[/]", finding.part, finding.found)
        if finding.advice:
            table.add_row("", "", f"[dim]{finding.advice}[/]")
    Console().print(table)
    if not all(finding.good for finding in findings):
        raise typer.Exit(1)
