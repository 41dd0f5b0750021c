"""Music as arrays, for notebooks and other tools: the signals of a recipe without a film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gandream.recipe.load import recipe_from
from gandream.trajectory.listen import lay_out, listen, sampled

EVERYTHING = {"level": "rms", "onset": "onset", "notes": "chroma"}


@dataclass(frozen=True)
class Signals:
    """What music does on a frame clock: frame k at k / fps seconds."""

    values: Mapping[str, np.ndarray]
    """Each signal by its name, 0 to 1: float32 [F], or [F, 12] of a chroma."""
    times: np.ndarray
    """Seconds of each frame, float64 [F]."""
    duration_s: float
    bpm: float | None = None
    beats_s: tuple[float, ...] = field(default=())

    def __getitem__(self, name: str) -> np.ndarray:
        """A signal by its name."""
        return self.values[name]


def analyse(
    audio: str | Path,
    signals: Mapping[str, Any] | None = None,
    *,
    fps: float | str = 30,
    beats: bool = True,
    cache: str | Path | None = None,
) -> Signals:
    """Hear a sound file: ``analyse("song.mp3", {"kick": {"from": "onset", "high": 120}})["kick"]``.

    ``signals`` are written as in a recipe; without them loudness, onsets and chroma are heard. ``cache`` is a folder
    where what was measured is kept. RecipeError and AudioError say what is wrong with the words or the file.
    """
    words = {"model": "cppn", "audio": str(audio), "signals": dict(signals or EVERYTHING), "video": {"fps": fps}}
    recipe = recipe_from(words, "analyse()")
    assert recipe.audio is not None
    heard = listen(recipe, None if cache is None else Path(cache), beats=beats)
    music = heard[recipe.audio.path]
    line = lay_out(recipe, music)
    beats_s = tuple(music.beats_s or ())
    bpm = float(60 / np.median(np.diff(beats_s))) if len(beats_s) > 1 else None
    return Signals(sampled(recipe, heard, line), line.clock.times, float(music.duration_s), bpm, beats_s)
