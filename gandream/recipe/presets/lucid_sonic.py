"""The look of lucid-sonic-dreams: a slow walk that music throws about.

What strikes pushes all numbers of z alike, what sounds on lets each drift in its own direction until it turns round in
a box, and pitches bring in classes. Its formulas are kept, in seconds; its draws have seeds.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter

from gandream.recipe.fields import AudioPath, Choice, Number, Switch, Whole
from gandream.recipe.presets.parts import (
    TOOLS_FPS,
    ClassList,
    Preset,
    Psi,
    Unit,
    inertia,
    inside,
    number,
    part_of,
    steps,
    times_of,
)

_AUDIO = TypeAdapter(AudioPath)


def _sound(value: Any) -> Any:
    """A sound as it is written, if there is one; true is the recipe's own."""
    if value is None or isinstance(value, bool):
        return value or None
    _AUDIO.validate_python(value)
    return value


Sound = Annotated[Any, BeforeValidator(_sound)]


class LucidSonic(Preset):
    """lucid-sonic-dreams."""

    preset: Annotated[str, Choice(("lucid_sonic",), "preset"), Field(description="`lucid_sonic`")] = "lucid_sonic"
    speed_fpm: Annotated[Number, Field(ge=0, le=600, description="keyframes of the walk per minute")] = 12.0
    pulse_react: Annotated[
        Number, Field(ge=0, le=10, description="how far loudness pushes, the same in every number of z")
    ] = 0.5
    pulse_percussive: Annotated[Switch, Field(description="it is the drums that push")] = True
    pulse_harmonic: Annotated[Switch, Field(description="it is the tones that push; with both, everything")] = False
    motion_react: Annotated[Number, Field(ge=0, le=10, description="how fast loudness lets each number of z drift")] = (
        0.5
    )
    motion_percussive: Annotated[Switch, Field(description="it is drums that let it drift")] = False
    motion_harmonic: Annotated[Switch, Field(description="it is tones that let it drift")] = True
    motion_randomness: Annotated[
        Unit, Field(description="how much slower half of the numbers drift, drawn every 4 s")
    ] = 0.5
    truncation: Annotated[Psi, Field(description="scales z of the walk, and the box, which is twice as large")] = 1.0
    classes: ClassList = None
    dominant_classes_first: Annotated[
        Switch, Field(description="the first class to the strongest pitch, and so on; else to C")
    ] = False
    class_pitch_react: Annotated[Number, Field(ge=0, le=10, description="how fast pitches add to classes")] = 0.5
    class_smooth_seconds: Annotated[Number, Field(ge=0, le=600, description="means of the classes over so long")] = 1.0
    class_complexity: Annotated[Number, Field(ge=0, le=10, description="scale of the classes, fed back")] = 1.0
    class_shuffle_seconds: Annotated[
        Whole | tuple[Number, ...] | None,
        BeforeValidator(times_of),
        Field(description="how often the classes change their pitches, or a list of the moments when"),
    ] = None
    class_shuffle_strength: Annotated[Unit, Field(description="how far the list of classes turns then")] = 0.5
    contrast_audio: Annotated[
        Sound,
        Field(description="contrast follows this sound; true: the recipe's music"),
    ] = None
    contrast_strength: Annotated[Number, Field(ge=0, le=7, description="how much of it")] = 0.5
    contrast_percussive: Annotated[Switch, Field(description="only its drums")] = True
    flash_audio: Annotated[
        Sound,
        Field(description="light follows this sound; true: the recipe's music"),
    ] = None
    flash_strength: Annotated[Unit, Field(description="how much of it; 1 burns out")] = 0.5
    flash_percussive: Annotated[Switch, Field(description="only its drums")] = True
    input_shape: Annotated[
        Whole, Field(ge=2, le=512, description="numbers of z, by which it parts the spectrum into bands")
    ] = 512

    def expanded(self, seed: int) -> dict[str, Any]:
        """The look in words of a recipe."""
        seed = seed if self.seed is None else self.seed
        said: dict[str, Any] = {
            "signals": {
                "lucid_pulse": self._loudness(self.pulse_percussive, self.pulse_harmonic),
                "lucid_motion": self._loudness(self.motion_percussive, self.motion_harmonic),
                "lucid_notes": "chroma",
            },
            "curves": self._keys(),
            "walk": {"plane": {"x": _BETWEEN, "seed": seed, "way": "straight", "amount": self.truncation}},
            "push": self._pushes(seed),
            "classes": self._classes(),
        }
        effects = []
        if self.contrast_audio is not None:
            said["signals"]["lucid_contrast"] = self._lit(self.contrast_audio, self.contrast_percussive)
            effects.append({"contrast": f"1 + {number(self.contrast_strength)}*unit(lucid_contrast)"})
        if self.flash_audio is not None:
            said["signals"]["lucid_flash"] = self._lit(self.flash_audio, self.flash_percussive)
            effects.append({"flash": f"{number(self.flash_strength)}*unit(lucid_flash)", "mode": "burn"})
        return said | ({"effects": effects} if effects else {})

    def _loudness(self, percussive: bool, harmonic: bool) -> dict[str, Any]:
        part = part_of(percussive, harmonic)
        return {"from": "mel", "join": "max", "bands": self.input_shape, **part}

    def _lit(self, sound: Any, percussive: bool) -> dict[str, Any]:
        return self._loudness(percussive, False) | ({} if sound is True else {"of": sound})

    def _keys(self) -> dict[str, str]:
        """Keyframes are spread over the film, each held for a frame; the last stays until the end."""
        return {
            "lucid_frame": f"t*{TOOLS_FPS}",
            "lucid_keys": f"max(round(duration/60*{number(self.speed_fpm)}), 1)",
            "lucid_step": f"max(floor(duration*{TOOLS_FPS}/lucid_keys + 1e-6), 2)",
        }

    def _pushes(self, seed: int) -> list[dict[str, Any]]:
        kept, box = inertia(0.75), 2 * self.truncation
        pulse = {"along": "ones", "by": f"{number(self.pulse_react)}*unit(lucid_pulse)", "inertia": kept}
        bounce = {
            "box": box,
            "margin": inside(self.motion_react, box),
            "randomness": self.motion_randomness,
            "redraw": steps(round(4 * TOOLS_FPS)),
            "seed": seed,
        }
        drift = {"bounce": bounce, "by": f"{number(20 * self.motion_react)}*unit(lucid_motion)", "inertia": kept}
        return [pulse, drift]

    def _classes(self) -> dict[str, Any]:
        said: dict[str, Any] = {
            "from": "lucid_notes",
            "through": list(self.classes or ()),
            "leak": "never",
            "react": 43 * self.class_pitch_react,
            "complexity": self.class_complexity,
            "smooth": self.class_smooth_seconds,
            "normalise": False,
            "optional": True,
        }
        if self.dominant_classes_first:
            said["order"] = "strength"
        if self.class_shuffle_seconds is not None:
            when = self.class_shuffle_seconds
            often = {"at": list(when)} if isinstance(when, tuple) else {"every": steps(round(when * TOOLS_FPS))}
            said["shuffle"] = {**often, "strength": self.class_shuffle_strength}
        return said


_BETWEEN = "min(lucid_keys - 1, floor(lucid_frame/lucid_step) + min(mod(lucid_frame, lucid_step)/(lucid_step - 1), 1))"
