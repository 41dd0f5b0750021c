"""The look of maua-stylegan2's default example, known by its author's name: twelve latents weighted by the chords.

Bass drums throw the picture to one of the latents and hats to another; all of it is smoothed so that it strikes at once
and fades slowly. Its formulas are kept, its frames (30 a second) are seconds here; its draws have seeds.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from gandream.recipe.fields import Choice, Number, Whole
from gandream.recipe.presets.parts import Preset, Psi, Unit, seeds_from

FPS = 30
SLOW, FAST = 0.14, 3.5
"""New noise maps per second: as fast as noise smoothed over 128 and over 5 frames."""

Hz = Annotated[Number, Field(ge=20, le=11025)]
Frames = Annotated[Number, Field(ge=0, le=1000)]
Percentile = Annotated[Number, Field(ge=0, le=100)]
Exponent = Annotated[Number, Field(gt=0, le=32)]


class Wavefunk(Preset):
    """maua-stylegan2, examples/default.py."""

    preset: Annotated[str, Choice(("wavefunk",), "preset"), Field(description="`wavefunk`")] = "wavefunk"
    latent_count: Annotated[
        Whole, Field(ge=7, le=12, description="latents; fewer than twelve have the weakest pitches")
    ] = 12
    truncation: Annotated[Psi, Field(description="truncation")] = 1.0
    lo_fmax: Annotated[
        Hz, Field(description="the drums below this, in Hz, throw it to the seventh latent from last")
    ] = 150
    lo_smooth: Annotated[Frames, Field(description="their smoothing, in frames of 1/30 s")] = 5
    lo_clip: Annotated[Percentile, Field(description="percentile of their peaks that becomes 1")] = 97
    lo_power: Annotated[Exponent, Field(description="their exponent")] = 2
    hi_fmin: Annotated[Hz, Field(description="the drums above this throw it to the fourth latent from last")] = 500
    hi_smooth: Annotated[Frames, Field(description="their smoothing, in frames of 1/30 s")] = 5
    hi_clip: Annotated[Percentile, Field(description="percentile of their peaks that becomes 1")] = 99
    hi_power: Annotated[Exponent, Field(description="their exponent")] = 2
    onset_margin: Annotated[Number, Field(ge=1, le=100, description="how clearly drums must be drums")] = 8
    chroma_margin: Annotated[Number, Field(ge=1, le=100, description="how clearly tones must be tones")] = 16
    chroma_smooth: Annotated[Frames, Field(description="smoothing of the weights, in frames of 1/30 s")] = 4
    smooth: Annotated[Frames, Field(description="smoothing of all of it, in frames of 1/30 s")] = 2
    causal: Annotated[Unit, Field(description="how much that smoothing looks ahead")] = 0.2

    def expanded(self, seed: int) -> dict[str, Any]:
        """The look in words of a recipe."""
        seeds = seeds_from(seed if self.seed is None else self.seed, self.latent_count)
        low = {"high": self.lo_fmax} | self._struck(self.lo_smooth, self.lo_clip, self.lo_power)
        high = {"low": self.hi_fmin, "high": 8000} | self._struck(self.hi_smooth, self.hi_clip, self.hi_power)
        notes = {"from": "chroma", "kind": "cens", "part": "harmonic", "margin": self.chroma_margin}
        noises = [
            {
                "mode": "animate",
                "strength": 0.4,
                "speed": f"{SLOW} + {FAST - SLOW}*{by}",
                "layers": layers,
                "optional": True,
            }
            for by, layers in (("wave_low", ["coarse", "middle"]), ("wave_high", "fine"))
        ]
        smooth = {"smooth": {"sigma": _time(self.smooth), "causal": self.causal}} if self.smooth else {}
        return {
            "signals": {"wave_low": low, "wave_high": high, "wave_notes": notes},
            "walk": {"through": seeds[:1]},
            "blend": {
                "by": "wave_notes",
                "latents": seeds,
                "order": "median",
                "smooth": _time(self.chroma_smooth),
            },
            "mix": [{"from": seeds[-4], "amount": "wave_high"}, {"from": seeds[-7], "amount": "wave_low"}],
            "truncation": self.truncation,
            "noise": noises,
            **smooth,
        }

    def _struck(self, smooth: float, clip: float, power: float) -> dict[str, Any]:
        smoothing = {"smooth": _time(smooth), "causal": 0} if smooth else {}
        return {
            "from": "onset",
            "part": "percussive",
            "margin": self.onset_margin,
            **smoothing,
            "peaks": clip,
            "power": power,
        }


def _time(frames: float) -> str:
    """Frames of the tool as a time."""
    return f"{Fraction(frames).limit_denominator(1000) / FPS}s"
