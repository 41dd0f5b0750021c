"""PNGs that commands draw: each says what it was made from, so that a picture of anything else isn't overwritten."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gandream.base.errors import OutputError
from gandream.base.files import published, writable_folder
from gandream.base.hashing import content_key
from gandream.video.boxes import NotWholeError
from gandream.video.stamp import Stamp, read_stamp, stamped

if TYPE_CHECKING:
    from PIL.Image import Image


def png_target(
    out: str | Path | None, usual: str, subject: str | Path, *, force: bool = False, what: str = "sheet", by: str = "-o"
) -> Path:
    """Where a picture of a subject goes: ``out``, or ``outputs/<usual>.png``.

    ``subject`` is a recipe, a sound file or a model. OutputError for a name that doesn't end in .png, and for a picture
    there that gandream didn't make, or made from something else, unless it is ``force``d. ``what`` it is and ``by``
    which option it is named are for these.
    """
    target = Path(out) if out is not None else Path("outputs") / f"{usual}.png"
    if target.suffix.lower() != ".png":
        hint = f"For instance {target.with_suffix('.png')}."
        raise OutputError(str(target), f"a {what} is a PNG, so its name should end in .png", hint)
    if target.is_dir():
        hint = f"Choose another name with {by}."
        raise OutputError(str(target), f"a folder is where the {what} should be", hint)
    if not force:
        _refuse_foreign(target, subject, by)
    return target


def save_png(
    image: Image, target: Path, subject: str | Path, *, title: str = "", recipe: str = "", moment: str = ""
) -> None:
    """Write a picture, whole or not at all, with what it was made from; the text of a ``recipe`` as films carry it."""
    made = io.BytesIO()
    image.save(made, format="PNG")
    source = source_of(subject, target)
    writable_folder(target.parent)
    with published(target) as part:
        part.write_bytes(b"".join(stamped(made.getvalue(), title, recipe, moment=moment, source=source)))


def source_of(subject: str | Path, target: Path) -> str:
    """What a picture says that it was made from: a file's name, and its place as seen from the picture, as a hash.

    So a project that moves as a whole stays itself, and a picture that is shown around tells nobody of folders. What is
    no file, such as the name of a model, is said as it is written.
    """
    file = Path(subject)
    if not file.is_file():
        return str(subject).removeprefix("bundled:")
    try:
        place = Path(os.path.relpath(file.absolute(), target.absolute().parent)).as_posix()
    except ValueError:  # another drive
        place = file.absolute().as_posix()
    return f"{file.name} {content_key('source', place)[:8]}"


def _refuse_foreign(target: Path, subject: str | Path, by: str) -> None:
    if not target.exists():
        return
    wanted, there = source_of(subject, target), _source_in(target)
    if there == wanted:
        return
    if there is None:
        whose = "nothing in it says that gandream made it"
    else:
        name, other = (one.rpartition(" ")[0] or one for one in (there, wanted))
        whose = f"it was made from {'another ' if name == other else ''}{name}"
    hint = f"Choose another name with {by}, or overwrite it with --force."
    raise OutputError(str(target), f"a picture is here already, and {whose}", hint)


def _source_in(picture: Path) -> str | None:
    try:
        found: Stamp = read_stamp(picture)
    except (NotWholeError, OSError):
        return None
    return found.source or None
