"""The table of effects: what each word of `gandream.recipe.effects` means. Adding one: a function, and a row here."""

from __future__ import annotations

from gandream.effects import colour, geometry, light, memory, overlay, ready
from gandream.effects.grain import grain
from gandream.effects.moment import Row

EFFECT: dict[str, Row] = {
    "contrast": Row(colour.contrast),
    "brightness": Row(colour.brightness),
    "saturation": Row(colour.saturation),
    "hue": Row(colour.hue),
    "flash": Row(colour.flash),
    "invert": Row(colour.invert),
    "gamma": Row(colour.gamma),
    "auto_levels": Row(colour.auto_levels),
    "posterise": Row(colour.posterise),
    "fade": Row(colour.fade),
    "vignette": Row(light.vignette),
    "grain": Row(grain, dated=True),
    "blur": Row(light.blur),
    "glow": Row(light.glow),
    "sharpen": Row(light.sharpen),
    "aberration": Row(geometry.aberration),
    "mirror": Row(geometry.mirror, alpha=True),
    "kaleidoscope": Row(geometry.kaleidoscope, alpha=True),
    "zoom": Row(geometry.zoom, alpha=True),
    "rotate": Row(geometry.rotate, alpha=True),
    "pan": Row(geometry.pan, alpha=True),
    "pixelate": Row(geometry.pixelate, alpha=True),
    "trails": Row(memory.trails, dated=True, past=memory.trails_past),
    "echo": Row(memory.echo, dated=True, past=memory.echo_past),
    "text": Row(overlay.text, ready=ready.lettering),
    "image": Row(overlay.image, ready=ready.overlay),
    "mask": Row(overlay.mask, ready=ready.masked),
}
