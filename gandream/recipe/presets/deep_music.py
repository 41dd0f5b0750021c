"""The look of deep-music-visualizer: one latent that tempo moves, and classes that pitches bring in and out.

Loudness and its rise let each number of z go until it turns round in a box; pitches leak into classes; every frame has
its levels stretched. Its formulas are kept, in seconds; its draws have seeds.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gandream.recipe.fields import Choice, Number, Whole
from gandream.recipe.presets.parts import (
    HOP,
    TOOLS_FPS,
    ClassList,
    Preset,
    Psi,
    Unit,
    inertia,
    inside,
    number,
    steps,
)


class DeepMusic(Preset):
    """deep-music-visualizer."""

    preset: Annotated[str, Choice(("deep_music",), "preset"), Field(description="`deep_music`")] = "deep_music"
    pitch_sensitivity: Annotated[
        Number, Field(ge=1, le=299, description="how fast classes follow pitches; 299 at once")
    ] = 220.0
    tempo_sensitivity: Annotated[Number, Field(ge=0, le=1, description="how fast loudness moves z")] = 0.25
    depth: Annotated[Number, Field(ge=0.01, le=1, description="scale of the classes")] = 1.0
    classes: ClassList = None
    sort_classes_by_power: Annotated[
        Whole, Field(ge=0, le=1, description="0: the first class to the strongest pitch; 1: to C")
    ] = 0
    jitter: Annotated[Unit, Field(description="how much slower half of the numbers of z are")] = 0.5
    frame_length: Annotated[
        Whole, Field(ge=64, le=8192, multiple_of=64, description="samples of a frame of the tool, at 22050 Hz")
    ] = HOP
    truncation: Annotated[Psi, Field(description="truncation; the box is twice as large")] = 1.0
    smooth_factor: Annotated[Whole, Field(ge=1, le=1000, description="frames whose mean the classes are")] = 20

    def expanded(self, seed: int) -> dict[str, Any]:
        """The look in words of a recipe."""
        seed, hop = seed if self.seed is None else self.seed, self.frame_length
        bounce = {
            "box": 2.0,  # of z before truncation
            "margin": inside(self.tempo_sensitivity * hop / HOP / self.truncation, 2.0),
            "randomness": self.jitter,
            "redraw": steps(200, hop),
            "begin": "inward",
            "seed": seed,
        }
        speed = number(self.tempo_sensitivity * float(TOOLS_FPS) / self.truncation)
        return {
            "signals": {
                "deep_power": {"from": "mel", "join": "mean", "bands": 128, "high": 8000},
                "deep_notes": "chroma",
            },
            "walk": {"through": [seed]},
            "truncation": self.truncation,
            "push": {
                "bounce": bounce,
                "by": f"{speed}*(unit(deep_power) + unit(max(slope(deep_power), 0)))",
                "inertia": inertia(0.75, hop),
            },
            "classes": self._classes(),
            "effects": ["auto_levels"],
        }

    def _classes(self) -> dict[str, Any]:
        hop, leak = self.frame_length, (300 - self.pitch_sensitivity) * HOP / self.frame_length
        return {
            "from": "deep_notes",
            "through": list(self.classes or ()),
            "order": "as written" if self.sort_classes_by_power else "strength",
            "leak": inertia(1 / (1 + 1 / leak), hop),
            "levels": "peak" if self.classes and len(self.classes) <= 6 else "minmax",
            "complexity": self.depth,
            "floor": 0.01,
            "smooth": steps(int(self.smooth_factor * HOP / hop), hop),
            "normalise": False,
            "optional": True,
        }
