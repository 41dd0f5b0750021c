"""An example of every word, function and choice, and the units of numbers, by key path; tests load and compile each.

An example stands in the recipe ``BASE``, whose signals it may use and whose words it replaces (signals and video are
added to). What stands between ``<`` and ``>`` is one of several words: the same example holds for each of them,
unless there is one of its own under ``path=word``.
"""

from __future__ import annotations

from gandream.recipe.examples.films import FILMS
from gandream.recipe.examples.music import MUSIC
from gandream.recipe.examples.paths import PATHS
from gandream.recipe.examples.pictures import PICTURES
from gandream.recipe.examples.units import UNITS

BASE = """\
model: cppn#7
audio: bundled:night_drive
signals:
  level: {from: rms, smooth: 0.3}
  kick: {from: onset, high: 120, release: 0.25}
  notes: chroma
  bands: mel
video: {size: 256, duration: 8s}
"""
"""A recipe that examples complete."""

EXAMPLES: dict[str, str] = {**PATHS, **MUSIC, **PICTURES, **FILMS}

__all__ = ["BASE", "EXAMPLES", "UNITS"]
