"""The files that a film is made of, and when one of them was saved."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable
from pathlib import Path

from gandream.recipe.include import included
from gandream.recipe.recipe import Recipe, values_in

LOOK_S = 0.2
"""How often files are looked at."""
SETTLE_S = 0.3
"""A file is saved once it stayed the same for so long: editors write in several steps."""
AWAY_S = 2.0
"""How long a file may be away, or empty, in the middle of being saved."""
WHOLE = 1 << 22
"""Bytes up to which a file is read to see whether it is another; of larger ones size and time tell."""

State = dict[Path, str | None]
"""What is in each file; None where it is away or empty."""


class Watched:
    """A recipe's file, and all that it includes and names."""

    def __init__(self, recipe: Path):
        self.recipe = recipe
        self.files: tuple[Path, ...] = (recipe,)
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def follow(self, recipe: Recipe | None) -> None:
        """Watch what a recipe names, too; of one that can't be read (None), what it includes and what it named."""
        named = [*self.files[1:]] if recipe is None else [*files_of(recipe)]
        self.files = tuple(dict.fromkeys([self.recipe, *included(self.recipe), *named]))

    def state(self) -> State:
        """What is in the files now."""
        return {file: self._content(file) for file in self.files}

    def _content(self, file: Path) -> str | None:
        try:
            about = file.stat()
            if not about.st_size:
                return None
            seen = (about.st_size, about.st_mtime_ns, about.st_ino)
            if about.st_size > WHOLE:
                return str(seen)
            known = self._known.get(file)
            # Of a file written a moment ago, the time may not tell another write.
            if known is None or known[0] != seen or time.time_ns() - about.st_mtime_ns < 10**9:
                known = self._known[file] = seen, hashlib.sha256(file.read_bytes()).hexdigest()
            return known[1]
        except OSError:
            return None

    def saved(self, since: State) -> list[Path]:
        """The files that are other than they were; what is away just now isn't, yet."""
        now = self.state()
        return [file for file in self.files if now[file] is not None and now[file] != since.get(file)]

    def wait(self, since: State, longest_s: float | None = None) -> list[Path]:
        """Wait until files were saved, and stay so for a moment: those files; none after the longest time."""
        began, steady_since, before, gone = time.monotonic(), 0.0, since, None
        while True:
            time.sleep(LOOK_S)
            clock, now = time.monotonic(), self.state()
            away = [file for file, content in now.items() if content is None and since.get(file) is not None]
            gone = (gone or clock) if away else None
            if now != before:
                before, steady_since = now, clock
            differ = [file for file in self.files if now[file] != since.get(file)]
            settled = clock - steady_since >= SETTLE_S and (gone is None or clock - gone >= AWAY_S)
            if differ and settled:
                return differ
            if not differ and longest_s is not None and clock - began > longest_s:
                return []


def files_of(recipe: Recipe) -> Iterable[Path]:
    """The files on this machine that a recipe names: music, pictures, saved latents, models."""
    for part in (recipe, *recipe.told_scenes()):
        for _, value in values_in(part):
            path = getattr(value, "path", None)
            if isinstance(path, Path):
                yield path
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            if (file := part.model.folder / Path(part.model.written).expanduser()).is_file():
                yield file
