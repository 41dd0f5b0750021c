"""What came of a batch, beside its films: a page to look at, and the same for programs."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from gandream.base.files import published, writable_folder
from gandream.run.batch.outcome import BatchResult, Row
from gandream.run.batch.report_page import Card, page
from gandream.run.batch.thumbnails import Thumbnails


def write_reports(result: BatchResult, pictures: Thumbnails) -> None:
    """Write ``<batch>.report.html`` and ``.json``, each whole or not at all.

    OutputError or RenderError where they can't be written.
    """
    assert result.report is not None, "it says where"
    folder = writable_folder(result.report.absolute().parent)
    told = json.dumps(facts(result, folder), indent=1, ensure_ascii=False) + "\n"
    with published(result.report.with_suffix(".json")) as part:
        part.write_bytes(
            told.encode("utf-8", "backslashreplace")
        )  # bytes of names that are no letters, as JSON has them
    cards = [_card(row, folder, pictures.of(row.job)) for row in result.rows]
    for row in result.rows:
        pictures.begin(row.job)
    words = {
        "name": result.name,
        "when": time.strftime("%d %B %Y, %H:%M", time.localtime()).lstrip("0"),
        "took": clock(result.seconds),
        "stopped": result.stopped,
        "changed": [str(path) for path in result.changed],
    }
    with published(result.report) as part:
        part.write_text(page(cards, **words), encoding="utf-8")


def facts(result: BatchResult, folder: Path) -> dict[str, Any]:
    """A batch for programs; files are as seen from a folder."""
    states = [row.state for row in result.rows]
    return {
        "batch": result.name,
        "good": result.good,
        "stopped": result.stopped,
        "seconds": round(result.seconds, 3),
        "report": None if result.report is None else seen(result.report, folder),
        "counts": {state: states.count(state) for state in sorted(set(states))},
        "changed": [str(path) for path in result.changed],
        "films": [_facts(row, folder) for row in result.rows],
    }


def _facts(row: Row, folder: Path) -> dict[str, Any]:
    task, figures = row.job.task, row.job.figures
    outputs = figures.get("films") or [str(path) for path in row.film.outputs] or [task.out]
    return {
        "name": task.name,
        "state": row.state,
        "now": row.now,
        "recipe": seen(Path(task.recipe), folder),
        "set": list(task.overrides),
        "varied": dict(row.film.wanted.varied),
        "film": seen(row.out, folder),
        "outputs": [seen(Path(path), folder) for path in outputs],
        "frames": figures.get("frames"),
        "rendered": figures.get("rendered"),
        "seconds": figures.get("seconds"),
        "attempts": row.job.attempts,
        "error": row.job.error or None,
        "warnings": list(figures.get("warnings", ())),
        "quality": list(figures.get("quality", ())),
        "log": seen(Path(row.job.log), folder) if row.job.log else None,
    }


def _card(row: Row, folder: Path, picture: bytes) -> Card:
    figures = row.job.figures
    rendered = figures.get("rendered")
    about = []
    if row.state == "done":
        about.append(f"{clock(float(figures['film_seconds']))} long" if figures.get("film_seconds") else "")
        about.append((f"rendered in {clock(row.seconds)}" if rendered else "nothing rendered") if row.now else "")
    if row.job.attempts > 1:
        about.append(f"{row.job.attempts} attempts")
    flaws = [str(flaw.get("said", "")) for flaw in figures.get("quality", ())]
    others = [Path(path) for path in figures.get("films", ())[1:]]
    log = Path(row.job.log) if row.job.log else None
    return Card(
        name=row.film.wanted.name,
        recipe=row.film.wanted.recipe.name,
        varied=dict(row.film.wanted.varied),
        state=row.state if row.state != "done" or row.now else "there",
        film=seen(row.out, folder) if row.state == "done" else "",
        others=[seen(path, folder) for path in others],
        picture=picture,
        about=[one for one in about if one],
        flaws=flaws,
        notes=[str(one) for one in figures.get("warnings", ()) if str(one) not in flaws],
        error=row.job.error if row.state != "done" else "",
        log=seen(log, folder) if log is not None and log.is_file() else "",
    )


def seen(path: Path, folder: Path) -> str:
    """A path as seen from a folder, so that a project that moves as a whole stays itself."""
    try:
        return Path(os.path.relpath(path.absolute(), folder)).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def clock(seconds: float) -> str:
    """A length of time as it is spoken: ``0.8 s``, ``42 s``, ``3:05 min``, ``2:10 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
