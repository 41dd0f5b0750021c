"""Text from a recipe that remembers the folder which relative file names in it start from."""

from __future__ import annotations

from pathlib import Path


class Text(str):
    """A string scalar; ``folder`` is the recipe file's, or the working directory for ``--set``."""

    __slots__ = ("folder",)
    folder: Path

    def __new__(cls, value: str, folder: Path) -> Text:
        """Attach the folder to the text."""
        text = super().__new__(cls, value)
        text.folder = folder
        return text
