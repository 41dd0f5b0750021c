"""What was heard, as a picture: waveform, signals, beats, bars and sections over the film's time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.run.listen import Listened

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

WIDTH, LEFT, RIGHT = 1800, 150, 50
"""Pixels of the picture, left and right of the time."""
COLUMNS = WIDTH - LEFT - RIGHT
HEADER, RIBBON, WAVE, LANE, BAND, GAP, FOOTER = 96, 34, 120, 84, 11, 14, 44
LEAST_BAND_LANE = 66
FINE = 2
"""Everything is drawn this much larger first, so that lines are smooth."""

GROUND, LANE_GROUND, INK, FAINT = (15, 17, 23), (22, 25, 34), (232, 235, 242), (140, 147, 165)
WAVE_INK = (120, 134, 168)
LINES = (
    (255, 166, 77), (97, 208, 255), (255, 105, 140), (140, 230, 140),
    (190, 150, 255), (255, 220, 100), (80, 220, 200), (240, 140, 230),
)  # fmt: skip
SECTIONS = (
    (64, 98, 168), (168, 84, 96), (72, 140, 112), (150, 118, 60),
    (116, 84, 168), (60, 136, 150), (160, 96, 140), (110, 124, 70),
    (90, 90, 110), (130, 100, 90), (80, 120, 90), (100, 80, 130),
)  # fmt: skip
HEAT = np.array([[22, 25, 34], [48, 50, 106], [128, 54, 134], [226, 88, 90], [255, 176, 84], [255, 246, 200]])
"""Colours of bands from 0 to 1."""


def draw(listened: Listened) -> Image:
    """The picture: a ribbon of sections, the waveform, and a lane for each signal over one axis of time."""
    from PIL import Image, ImageDraw

    lanes = [_lane_height(listened, name) for name in listened.signals]
    tops, y = [], HEADER
    for height in (RIBBON * bool(listened.sections), WAVE * bool(len(listened.wave)), *lanes):
        tops.append(y)
        y += height + GAP * bool(height)
    height = y + FOOTER
    image = Image.new("RGB", (WIDTH * FINE, height * FINE), GROUND)
    page = _Page(image, ImageDraw.Draw(image), float(listened.line.clock.duration), listened)
    page.head()
    page.ribbon(tops[0], y - GAP)
    page.wave(tops[1])
    for index, (name, values) in enumerate(listened.signals.items()):
        page.lane(tops[2 + index], lanes[index], name, values, LINES[index % len(LINES)])
    page.beats(tops[1], y - GAP)
    page.axis(y - GAP)
    return image.resize((WIDTH, height), Image.Resampling.LANCZOS)


def _lane_height(listened: Listened, name: str) -> int:
    bands = len(listened.bands.get(name, ()))
    return max(bands * BAND, LEAST_BAND_LANE) if bands else LANE


class _Page:
    """The canvas, in pixels of the finished picture."""

    def __init__(self, image: Image, canvas: ImageDraw, duration_s: float, listened: Listened):
        self.image, self.canvas, self.duration_s, self.listened = image, canvas, duration_s, listened

    def x(self, time_s: float) -> float:
        """Where a time of the film is."""
        return LEFT + min(max(time_s / self.duration_s, 0.0), 1.0) * COLUMNS

    def text(self, x: float, y: float, words: str, size: int, ink: tuple[int, int, int] = INK, anchor: str = "la"):
        """Words at a place; characters that the font lacks are left to it."""
        self.canvas.text((x * FINE, y * FINE), words, fill=ink, font=_font(size * FINE), anchor=anchor)

    def box(self, left: float, top: float, right: float, bottom: float, ink: tuple[int, int, int]):
        """A filled rectangle."""
        self.canvas.rectangle([left * FINE, top * FINE, right * FINE - 1, bottom * FINE - 1], fill=ink)

    def line(self, points: list[tuple[float, float]], ink: tuple[int, int, int], width: float = 1.0):
        """A line through points."""
        scaled = [(x * FINE, y * FINE) for x, y in points]
        self.canvas.line(scaled, fill=ink, width=max(round(width * FINE), 1), joint="curve")

    def head(self) -> None:
        """The title and what was found."""
        heard = self.listened
        self.text(LEFT, 18, heard.title[:80], 28)
        said = [f"{heard.bpm:.1f} bpm"] if heard.bpm else []
        said += [heard.key.name] if heard.key else []
        kinds = len({one.label for one in heard.sections})
        said += [f"{len(heard.sections)} sections, {kinds} different"] if heard.sections else []
        said += [f"loudness range {heard.loudness_range_db:.1f} dB"] if heard.loudness_range_db is not None else []
        said += [clock_time(self.duration_s)]
        self.text(LEFT, 58, "   ·   ".join(said), 17, FAINT)

    def ribbon(self, top: int, bottom: int) -> None:
        """A coloured block for each section, and a line down the page where it begins."""
        start = float(self.listened.line.start_s)
        for one in self.listened.sections:
            left, right = self.x(one.start_s - start), self.x(one.end_s - start)
            if right - left < 1:
                continue
            self.box(left, top, right - 1, top + RIBBON, SECTIONS[(ord(one.label) - ord("A")) % len(SECTIONS)])
            self.text((left + right) / 2, top + RIBBON / 2, one.label, 17, anchor="mm")
        if self.listened.sections:
            self.text(LEFT - 14, top + RIBBON / 2, "sections", 15, FAINT, anchor="rm")

    def wave(self, top: int) -> None:
        """The waveform."""
        if not len(self.listened.wave):
            return
        self.box(LEFT, top, LEFT + COLUMNS, top + WAVE, LANE_GROUND)
        self.text(LEFT - 14, top + WAVE / 2, "waveform", 15, FAINT, anchor="rm")
        middle = top + WAVE / 2
        lows, highs = self.listened.wave.T
        upper = [(LEFT + index, middle - high * WAVE * 0.47) for index, high in enumerate(highs)]
        lower = [(LEFT + index, middle - low * WAVE * 0.47 + 0.5) for index, low in enumerate(lows)]
        outline = [(x * FINE, y * FINE) for x, y in [*upper, *reversed(lower)]]
        self.canvas.polygon(outline, fill=WAVE_INK)

    def lane(self, top: int, height: int, name: str, values: np.ndarray, ink: tuple[int, int, int]) -> None:
        """One signal: a curve, or its bands as a map of heat, the first at the bottom."""
        self.box(LEFT, top, LEFT + COLUMNS, top + height, LANE_GROUND)
        self.text(LEFT - 14, top + height / 2 - 8, name[:16], 16, ink, anchor="rm")
        low, high = float(values.min()), float(values.max())
        self.text(LEFT - 14, top + height / 2 + 12, f"{_short(low)} to {_short(high)}", 12, FAINT, anchor="rm")
        if values.ndim == 2:
            self._heat(top, height, values, self.listened.bands.get(name, ()))
            return
        columns = _highest(values)
        base, size = min(low, 0.0), max(high, 1.0 if high > 0.2 else high) - min(low, 0.0)
        heights = (columns - base) / (size or 1.0) * (height - 6)
        points = [(LEFT + index + 0.5, top + height - 3 - value) for index, value in enumerate(heights)]
        floor = top + height - 3 - (0 - base) / (size or 1.0) * (height - 6)
        shade = tuple(round(0.30 * c + 0.70 * g) for c, g in zip(ink, LANE_GROUND, strict=True))
        filled = [(points[0][0], floor), *points, (points[-1][0], floor)]
        self.canvas.polygon([(x * FINE, y * FINE) for x, y in filled], fill=shade)
        self.line(points, ink, 1.2)

    def _heat(self, top: int, height: int, values: np.ndarray, names: tuple[str, ...]) -> None:
        from PIL import Image

        shares = np.stack([_highest(row) for row in values.T])[::-1]
        low, high = float(shares.min()), float(shares.max())
        shares = (shares - min(low, 0.0)) / ((max(high, 1e-9) - min(low, 0.0)) or 1.0)
        place = np.clip(shares, 0, 1) * (len(HEAT) - 1)
        left = np.minimum(place.astype(int), len(HEAT) - 2)
        colours = HEAT[left] + (HEAT[left + 1] - HEAT[left]) * (place - left)[..., None]
        picture = Image.fromarray(np.round(colours).astype(np.uint8))
        self.image.paste(
            picture.resize((COLUMNS * FINE, height * FINE), Image.Resampling.NEAREST), (LEFT * FINE, top * FINE)
        )
        if len(names) <= 12:
            each = height / len(names)
            for index, name in enumerate(reversed(names)):
                self.text(LEFT + COLUMNS + 8, top + (index + 0.5) * each, name, 10, FAINT, anchor="lm")

    def beats(self, top: int, bottom: int) -> None:
        """Ticks at beats where there is room, lines at bars, numbers of bars above."""
        beats = self.listened.beats
        if not len(beats):
            return
        apart = COLUMNS / max(len(beats), 1)
        bars = beats[beats[:, 1] > 0]
        every = next((n for n in (1, 2, 4, 8, 16, 32, 64, 128, 256) if COLUMNS / max(len(bars), 1) * n >= 34), 512)
        overlay = self.image.copy()
        from PIL import Image, ImageDraw

        drawn = ImageDraw.Draw(overlay)
        for time, whole in beats:
            if whole or apart >= 8:
                x, strength = self.x(time) * FINE, 90 if whole else 50
                drawn.line([(x, top * FINE), (x, bottom * FINE)], fill=(255, 255, 255) if whole else (strength,) * 3)
        for one in self.listened.sections[1:]:
            x = self.x(one.start_s - float(self.listened.line.start_s)) * FINE
            drawn.line([(x, top * FINE), (x, bottom * FINE)], fill=(255, 255, 255), width=3 * FINE)
        self.image.paste(Image.blend(self.image, overlay, 0.22))
        self.canvas = ImageDraw.Draw(self.image)
        start = float(self.listened.line.start_s)
        grid = self.listened.line.grid
        assert grid is not None
        for time, _ in bars:
            number = round(float(grid.bar_at(time + start)))
            if number % every == 0:
                self.text(self.x(time) + 3, bottom + 23, str(number), 12, FAINT)
        self.text(LEFT - 14, bottom + 30, "bar", 12, FAINT, anchor="rm")

    def axis(self, bottom: int) -> None:
        """Times in minutes and seconds."""
        every = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800) if self.duration_s / s <= 20), 3600)
        for time in np.arange(0, self.duration_s + 1e-6, every):
            x = self.x(float(time))
            self.line([(x, bottom), (x, bottom + 5)], FAINT)
            self.text(x + 3, bottom + 4, clock_time(float(time)), 13, INK)
        self.text(LEFT - 14, bottom + 12, "time", 12, FAINT, anchor="rm")


def clock_time(seconds: float) -> str:
    """Minutes and seconds: 83 -> ``1:23``."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02d}"


def _short(value: float) -> str:
    return "0" if abs(value) < 0.005 else f"{value:.3g}"


def _highest(values: np.ndarray) -> np.ndarray:
    """The values furthest from 0 in each column of the picture, so that no short event is lost: [COLUMNS]."""
    if len(values) < COLUMNS:
        return np.interp(np.linspace(0, len(values) - 1, COLUMNS), np.arange(len(values)), values)
    edges = np.linspace(0, len(values), COLUMNS + 1).astype(int)[:-1]
    highs, lows = np.maximum.reduceat(values, edges), np.minimum.reduceat(values, edges)
    return np.where(np.abs(lows) > np.abs(highs), lows, highs)


def _font(size: int) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow 10.0 has one size only
        return ImageFont.load_default()
