"""What is heard in a piece, told and drawn: tempo, key, sections, and every signal of a recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from gandream.audio.analyse import Analysis, analyse
from gandream.audio.decode import mono_blocks
from gandream.audio.key import Key, key_of, loudness_range_db
from gandream.audio.measure import measure_of
from gandream.audio.scales import SCALES
from gandream.audio.sections import Section
from gandream.base.assets import BUNDLED, recipes
from gandream.recipe.load import load_recipe, recipe_from
from gandream.recipe.recipe import Recipe
from gandream.recipe.signals import Signal
from gandream.trajectory.listen import lay_out, listen, sampled
from gandream.trajectory.timeline import Timeline

STANDARD: dict[str, Any] = {
    "level": "rms",
    "onset": "onset",
    "kick": {"from": "onset", "high": 120},
    "hats": {"from": "onset", "low": 5000},
    "bands": {"from": "mel", "smooth": 0.05},
    "notes": "chroma",
    "bright": {"from": "centroid", "smooth": 0.1},
    "drop": "drop",
}
"""What is drawn of a bare sound file."""
WAVE_HZ = 8000
"""Samples per second of the waveform that is drawn."""
RECIPES = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Listened:
    """What was heard, over the time of the film."""

    title: str
    line: Timeline
    signals: dict[str, np.ndarray]
    bands: dict[str, tuple[str, ...]]
    """The names of the bands of those signals that have some."""
    wave: np.ndarray
    """Lowest and highest sample of each piece of the film's time: [columns, 2], empty without music."""
    duration_s: float | None = None
    bpm: float | None = None
    key: Key | None = None
    loudness_range_db: float | None = None
    sections: tuple[Section, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def beats(self) -> np.ndarray:
        """Seconds of the film at which its beats are, and whether each begins a bar: [beats, 2]."""
        grid, end = self.line.grid, float(self.line.clock.duration)
        if grid is None:
            return np.zeros((0, 2))
        start = float(self.line.start_s)
        end -= 0.5 / float(self.line.clock.fps)  # a beat at the film's end is the next film's
        first, last = math.ceil(float(grid.beat_at(start)) - 1e-6), math.floor(float(grid.beat_at(start + end)))
        numbers = np.arange(first, last + 1)
        times = np.array([grid.time_of(float(number)) - start for number in numbers])
        return np.stack([times, (numbers - round(grid.downbeat)) % grid.beats_per_bar == 0], axis=1)


def hear(path: Path, cache: Path | None, assignments: tuple[str, ...] = (), *, columns: int = 1600) -> Listened:
    """Hear what a recipe listens to, or a sound file with the standard signals."""
    if path.suffix.lower() in RECIPES or str(path) in {f"{BUNDLED}{name}" for name in recipes()}:
        recipe = load_recipe(path, assignments)
    else:
        recipe = recipe_from({"model": "cppn", "audio": str(path), "signals": STANDARD}, str(path))
    heard = listen(recipe, cache, beats=recipe.audio is not None, sections=recipe.audio is not None)
    music = heard[recipe.audio.path] if recipe.audio else None
    line = lay_out(recipe, music, beats=music is not None and music.beats_s is not None)
    listened = Listened(
        title=path.name,
        line=line,
        signals=sampled(recipe, heard, line),
        bands={name: signal.band_names for name, signal in recipe.signals.items() if signal.band_names},
        wave=np.zeros((0, 2)),
    )
    return listened if music is None else _with_music(listened, recipe, music, columns, cache)


def _with_music(listened: Listened, recipe: Recipe, music: Analysis, columns: int, cache: Path | None) -> Listened:
    assert recipe.audio is not None
    path, line = recipe.audio.path, listened.line
    words = [Signal.model_validate(kind) for kind in ("chroma", "rms")]
    chroma, rms = (analyse(path, words, beats=False, cache=cache).features[measure_of(one).key] for one in words)
    return replace(
        listened,
        wave=_wave(path, float(line.start_s), float(line.clock.duration), columns),
        duration_s=float(music.duration_s),
        bpm=line.grid.bpm if line.grid is not None else None,
        key=key_of(SCALES["chroma"](chroma.astype(np.float64), words[0])),
        loudness_range_db=loudness_range_db(rms[0], music.rate_hz),
        sections=music.sections or (),
        warnings=music.warnings,
    )


def _wave(path: Path, start_s: float, duration_s: float, columns: int) -> np.ndarray:
    """Lowest and highest sample in each column of the film's time: [columns, 2]; silence after the end."""
    lows, highs = np.zeros(columns), np.zeros(columns)
    first = 0
    for piece in mono_blocks(path, WAVE_HZ):
        times = (first + np.arange(len(piece))) / WAVE_HZ - start_s
        first += len(piece)
        at = np.floor(times / duration_s * columns).astype(int)
        inside = (at >= 0) & (at < columns)
        np.minimum.at(lows, at[inside], piece[inside])
        np.maximum.at(highs, at[inside], piece[inside])
    loudest = max(float(np.abs(lows).max()), float(highs.max()), 1e-9)
    return np.stack([lows, highs], axis=1) / loudest


def facts(listened: Listened) -> dict[str, Any]:
    """What was heard, as plain values."""
    beats, key = listened.beats, listened.key
    return {
        "file": listened.title,
        "film": {"start_s": float(listened.line.start_s), "duration_s": float(listened.line.clock.duration)},
        "duration_s": listened.duration_s,
        "bpm": listened.bpm,
        "beats": len(beats),
        "first_beat_s": float(beats[0, 0]) if len(beats) else None,
        "beats_per_bar": listened.line.grid.beats_per_bar if listened.line.grid else None,
        "key": key and {"name": key.name, "fit": key.fit, "next": key.next, "next_fit": key.next_fit},
        "loudness_range_db": listened.loudness_range_db,
        "sections": [{"start_s": one.start_s, "end_s": one.end_s, "label": one.label} for one in listened.sections],
        "signals": {
            name: {
                "bands": len(listened.bands.get(name, ())) or None,
                "min": float(values.min()),
                "mean": float(values.mean()),
                "max": float(values.max()),
            }
            for name, values in listened.signals.items()
        },
        "warnings": list(listened.warnings),
    }
