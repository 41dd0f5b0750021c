"""What is laid over the picture, made ready before frame 0: its files are read, its times laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from importlib.metadata import version
from typing import Any, TypeAlias

import numpy as np

from gandream.base.hashing import file_fingerprint
from gandream.effects.lettering import Style, lacking, load_font
from gandream.effects.lyrics import Cue, read_lyrics
from gandream.effects.moment import Film
from gandream.effects.stills import Still, read_still
from gandream.recipe.fields import FileRef
from gandream.recipe.overlays import Lettering, Lyrics, Masked, Overlay
from gandream.recipe.reader import Path_

FADE_S = 0.5
Values: TypeAlias = dict[str, np.ndarray]
Choices: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Script:
    """Which text is shown at each frame: a number in ``texts``, int32 [F]."""

    texts: tuple[str, ...]
    shown: np.ndarray

    def at(self, frame: int) -> str:
        """The text of a frame."""
        return self.texts[self.shown[frame]]

    def key(self, start: int, stop: int) -> Any:
        """What of it shapes frames [start, stop): the texts that are shown there, and when."""
        seen, order = np.unique(self.shown[start:stop], return_inverse=True)
        return [[self.texts[number] for number in seen], order.astype(np.int32) if len(seen) > 1 else None]


@dataclass(frozen=True)
class Look:
    """How text is written, and the hash of its font."""

    style: Style
    font: str

    def key(self, start: int, stop: int) -> Any:
        """What of it shapes frames [start, stop)."""
        return [*astuple(replace(self.style, font=None)), self.font]


def lettering(effect: Any, path: Path_, film: Film, values: Values) -> tuple[Values, Choices]:
    """The curves and choices of `text`."""
    assert isinstance(effect, Lettering)
    there = presence(effect, path, film)
    if isinstance(effect.text, Lyrics):
        script, cued = _lyrics(effect, (*path, "text", "file"), film)
        there = there * cued
    else:
        script = Script((effect.text,), np.zeros(film.clock.frames, np.int32))
    style = Style(
        effect.colour.rgb,
        effect.align,
        effect.font and effect.font.path,
        effect.line,
        effect.track,
        effect.shadow,
        effect.outline,
        effect.outline_colour.rgb,
    )
    look = Look(style, _checked_font(effect, style, script, path, film))
    values = _faded(values, there)
    choices = {"text": script, "style": look, "drawn": _largest(values), "wrap": effect.wrap, "blend": effect.blend}
    return values, choices


def overlay(effect: Any, path: Path_, film: Film, values: Values) -> tuple[Values, Choices]:
    """The curves and choices of `image`."""
    assert isinstance(effect, Overlay)
    choices = {"image": _still(effect.image, (*path, "image"), film), "blend": effect.blend}
    return _faded(values, presence(effect, path, film)), choices


def masked(effect: Any, path: Path_, film: Film, values: Values) -> tuple[Values, Choices]:
    """The curves and choices of `mask`."""
    assert isinstance(effect, Masked)
    choices = {
        "mask": _still(effect.mask, (*path, "mask"), film),
        "image": effect.image and _still(effect.image, (*path, "image"), film),
        "colour": list(effect.colour.rgb) if effect.colour else [0.0, 0.0, 0.0],
        **{word: getattr(effect, word) for word in ("inverted", "fit", "blend")},
    }
    return _faded(values, presence(effect, path, film)), choices


def presence(effect: Any, path: Path_, film: Film) -> np.ndarray:
    """How much is there by `at`, `until` and `fade`: float64 [F], from 0 to 1, smooth (smoothstep)."""
    start = None if effect.at is None else film.moment_s(effect.at)
    end = None if effect.until is None else film.moment_s(effect.until)
    if start is not None and end is not None and end <= start:
        raise film.recipe.error((*path, "until"), f"it ends after it begins, and this is not after {effect.at}")
    fade = FADE_S if effect.fade is None else film.length_s(effect.fade)
    return _between(film, start, end, fade)


def _between(film: Film, start: float | None, end: float | None, fade: float) -> np.ndarray:
    times, rounding = film.clock.times, 1e-6 / float(film.clock.fps)
    there = np.ones(len(times))
    for moment, sign in ((start, 1), (end, -1)):
        if moment is None:
            continue
        since = sign * (times - moment)
        # To a millionth of a frame: the frame at `at` is in, the one at `until` isn't, whatever the rounding.
        share = np.clip(since / fade, 0, 1) if fade > 0 else (since > -rounding * sign).astype(np.float64)
        there *= share * share * (3 - 2 * share)
    return there


def _lyrics(effect: Lettering, path: Path_, film: Film) -> tuple[Script, np.ndarray]:
    """The lines of a file, and how much of them is there: each comes in and goes within a third of its time."""
    assert isinstance(effect.text, Lyrics)
    file = effect.text.file
    try:
        cues = read_lyrics(file.path)
    except (ValueError, OSError) as error:
        raise film.recipe.error(path, f"{file}: {error}", "Lines look like [00:12.50]text in .lrc files.") from None
    fade = FADE_S if effect.fade is None else film.length_s(effect.fade)
    fps, frames = float(film.clock.fps), film.clock.frames
    shown, there = np.zeros(frames, np.int32), np.zeros(frames)
    texts: dict[str, int] = {"": 0}
    for cue in cues:
        first, last = ((second - film.start_s) * fps for second in (cue.start_s, cue.stop_s))
        part = slice(*(min(frames, max(0, int(np.ceil(frame - 1e-6)))) for frame in (first, last)))
        shown[part] = texts.setdefault(cue.text, len(texts))
        there[part] = _cue(cue, film.clock.times[part] + film.start_s, fade)
    return Script(tuple(texts), shown), there


def _cue(cue: Cue, times: np.ndarray, fade: float) -> np.ndarray:
    fade = min(fade, (cue.stop_s - cue.start_s) / 3)
    if fade <= 0:
        return np.ones(len(times))
    share = np.clip(np.minimum(times - cue.start_s, cue.stop_s - times) / fade, 0, 1)
    return share * share * (3 - 2 * share)


def _faded(values: Mapping[str, np.ndarray], there: np.ndarray) -> Values:
    return {**values, "opacity": (values["opacity"] * there).astype(np.float32)}


def _largest(values: Values) -> float:
    """The largest size at which text is there, which is how it is drawn."""
    there = values["opacity"] > 0
    return float(values["size"][there].max()) if there.any() else 1.0


def _still(file: FileRef, path: Path_, film: Film) -> Still:
    try:
        return read_still(file.path)
    except (ValueError, OSError) as error:
        raise film.recipe.error(path, str(error), "Wanted a .png, .jpg or .webp, for instance.") from None


def _checked_font(effect: Lettering, style: Style, script: Script, path: Path_, film: Film) -> str:
    """The hash of a font that can be read and has all letters; the version of what draws is part of it."""
    try:
        font = load_font(style.font, 32)
        missing = lacking(font, "".join(script.texts))
    except (OSError, ValueError) as error:
        raise film.recipe.error((*path, "font"), f"this font can't be read ({error})") from None
    if missing:
        whose = f"the font {effect.font}" if effect.font else "the built-in font"
        letters = " ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        where = (*path, "text", "file") if isinstance(effect.text, Lyrics) else (*path, "text")
        raise film.recipe.error(where, f"{whose} has no {letters}", "`font: a.ttf` names one that has.")
    return f"pillow {version('pillow')} {file_fingerprint(style.font) if style.font else ''}"
