"""For every word of the picture (camera, bends, effects, scenes, video): two ways that must give different pictures."""

from __future__ import annotations

from rows import Pair, Rows

SCENES = "scenes: [{for: 1s}, {*}]"
PIECE = "audio: bundled:night_drive\nvideo: {fps: 2, duration: 14}\n"
SECTIONS = PIECE + "scenes: {from: sections, labels: {B: {*}}}"
TEXT, IMAGE, MASK = "text: Hello, size: 0.5", "image: logo.png, size: 0.8", "mask: logo.png, colour: gold"

BENDS = {
    "Multiply": ("multiply", "1.5", "0.5"),
    "Ablate": ("ablate", "1", "0.5"),
    "BendInvert": ("invert", "1", "0.5"),
    "Threshold": ("threshold", "0", "1"),
    "BendNoise": ("noise", "0.5", "1"),
    "Translate": ("translate", "[0.2, 0]", "[0, 0.2]"),
    "BendRotate": ("rotate", "30", "60"),
    "BendZoom": ("zoom", "1.5", "2"),
    "Flip": ("flip", "horizontal", "vertical"),
    "Erode": ("erode", "0.1", "0.2"),
    "Dilate": ("dilate", "0.1", "0.2"),
    "BendBlur": ("blur", "0.1", "0.2"),
    "BendSharpen": ("sharpen", "1", "3"),
    "Edges": ("edges", "1", "0.5"),
}
"""Each bend's word, and two values of it."""


def bends() -> list[Rows]:
    """The word of each bend, and those that all of them have."""
    made = []
    for kind, (word, one, other) in BENDS.items():
        drawn = f"layer: 2, {word}: {one}, channels: 0.25"
        each: dict[str, str | Pair] = {
            word: (f"layer: 2, {word}: {one}", f"layer: 2, {word}: {other}"),
            "layer": (f"layer: 2, {word}: {one}", f"layer: 4, {word}: {one}"),
            "channels": (f"layer: 2, {word}: {one}", f"layer: 2, {word}: {one}, channels: 0-3"),
            "amount": (f"layer: 2, {word}: {one}", f"layer: 2, {word}: {one}, amount: 0.5"),
            "seed": (f"{drawn}, seed: 1", f"{drawn}, seed: 2"),
        }
        made.append(Rows(kind, "bend: {*}", each, quick=(word,) if word in ("multiply", "blur") else ()))
    return made


def over(first: str, kind: str, more: dict[str, str | Pair], quick: tuple[str, ...] = ()) -> Rows:
    """What is laid over the picture; ``first`` is what its other words stand beside."""
    each: dict[str, str | Pair] = {
        "at": (first, f"{first}, at: 1s"),
        "until": (first, f"{first}, until: 1s"),
        "fade": (f"{first}, at: 1s", f"{first}, at: 1s, fade: 1.5s"),
        "x": (first, f"{first}, x: 0.5"),
        "y": (first, f"{first}, y: 0.5"),
        "rotate": (first, f"{first}, rotate: 45"),
        "opacity": (first, f"{first}, opacity: 0.4"),
        "blend": (first, f"{first}, blend: multiply"),
    }
    return Rows(kind, "effects: [{*}]", each | more, quick)


def effect(kind: str, word: str, one: str, other: str, quick: bool = False, /, **more: str) -> Rows:
    """An effect's own word with two values, and its other words beside the first of them."""
    first = f"{word}: {one}"
    each: dict[str, str | Pair] = {word: (first, f"{word}: {other}")}
    each |= {name: (first, f"{first}, {name}: {value}") for name, value in more.items()}
    return Rows(kind, "effects: [{*}]", each, (word,) if quick else ())


EFFECTS = [
    effect("Contrast", "contrast", "1.5", "2", True, about="grey"),
    effect("Brightness", "brightness", "1.5", "2"),
    effect("Saturation", "saturation", "0.5", "2"),
    effect("Hue", "hue", "60", "120"),
    effect("Flash", "flash", "0.5", "hit", True, colour="red", mode="burn"),
    effect("Invert", "invert", "1", "0.2"),
    effect("Gamma", "gamma", "1.5", "2"),
    effect("AutoLevels", "auto_levels", "1", "0.2"),
    effect("Posterise", "posterise", "3", "5"),
    effect("Fade", "fade", "both", "out", over="0.4s", colour="white"),
    effect("Vignette", "vignette", "0.6", "1", radius="0", softness="0.2"),
    effect("Grain", "grain", "0.1", "0.3", size="20", coloured="true", seed="3"),
    effect("Blur", "blur", "0.05", "0.2"),
    effect("Glow", "glow", "1", "3", radius="0.2", threshold="0.1"),
    effect("Sharpen", "sharpen", "1", "3", radius="0.1"),
    effect("Aberration", "aberration", "0.1", "0.2"),
    effect("Mirror", "mirror", "horizontal", "vertical"),
    effect("Kaleidoscope", "kaleidoscope", "6", "4", angle="20", x="0.5", y="0.5"),
    effect("Zoom", "zoom", "1.5", "2", x="0.5", y="0.5"),
    effect("Rotate", "rotate", "20", "40", x="0.5", y="0.5"),
    effect("Pan", "pan", "0.2", "0.4", up="0.3"),
    effect("Pixelate", "pixelate", "0.2", "0.4"),
    effect("Trails", "trails", "0.8", "0.5", mode="mix", zoom="1.1", turn="10"),
    effect("Echo", "echo", "0.6", "0.9", delay="0.5s", repeats="4", mode="mix"),
]


def fonts_and_lines() -> dict[str, str | Pair]:
    """What text alone has."""
    lines = "text: [Hi, you], size: 0.4"
    return {
        "text": ("text: Hello", "text: World"),
        "size": ("text: Hello, size: 0.4", "text: Hello, size: 0.6"),
        "align": (TEXT, f"{TEXT}, align: left"),
        "colour": (TEXT, f"{TEXT}, colour: red"),
        "font": (TEXT, f"{TEXT}, font: own.ttf"),
        "line": (lines, f"{lines}, line: 2"),
        "track": (TEXT, f"{TEXT}, track: 0.5"),
        "wrap": ("text: I am you, size: 0.3", "text: I am you, size: 0.3, wrap: 0.3"),
        "shadow": (TEXT, f"{TEXT}, shadow: 0"),
        "outline": (TEXT, f"{TEXT}, outline: 0.1"),
        "outline_colour": (f"{TEXT}, outline: 0.1", f"{TEXT}, outline: 0.1, outline_colour: red"),
    }


OVERLAYS = [
    over(TEXT, "Lettering", fonts_and_lines(), ("text", "at")),
    Rows("Lyrics", "effects: [{text: {*}, size: 0.5}]", {"file": ("file: one.lrc", "file: two.lrc")}),
    over(IMAGE, "Overlay", {
        "image": ("image: logo.png", "image: other.png"),
        "size": ("image: logo.png, size: 0.4", IMAGE),
    }),
    over(MASK, "Masked", {
        "mask": ("mask: logo.png", "mask: other.png"),
        "image": ("mask: logo.png", "mask: logo.png, image: other.png"),
        "colour": ("mask: logo.png", MASK),
        "inverted": (MASK, f"{MASK}, inverted: true"),
        "fit": (MASK, f"{MASK}, fit: stretch"),
        "size": (MASK, f"{MASK}, size: 0.5"),
    }),
]  # fmt: skip

MOVED = [
    Rows("Camera", "camera: {*}", {
        "zoom": "zoom: 1.5",
        "rotate": "rotate: 30",
        "pan": "pan: [0.2, 0.1]",
        "shear": "shear: 0.5",
        "shake": "shake: 0.2",
        "zoom_speed": "zoom_speed: 1",
        "by": ("rotate: 30", "rotate: 30, by: picture"),
    }, quick=("zoom", "by")),
    Rows("Camera", "model: drifting.safetensors\ncamera: {*}", {"anchor": "anchor: mean"}),
    Rows("Shake", "camera: {shake: {*}}", {
        "amount": "amount: 0.3",
        "speed": ("amount: 0.3", "amount: 0.3, speed: 1"),
        "seed": ("amount: 0.3", "amount: 0.3, seed: 3"),
    }),
]  # fmt: skip

SPEED = ("bend: {layer: 2, noise: 1, speed: 0}", "bend: {layer: 2, noise: 1, speed: 4}")
SIZE = ("bend: {layer: 2, noise: 1, size: 0}", "bend: {layer: 2, noise: 1, size: 0.5}")
RADIUS = ("bend: {layer: 2, sharpen: 3}", "bend: {layer: 2, sharpen: 3, radius: 0.3}")

LOOKS: dict[str, Pair] = {
    "walk": ("walk: {every: 1s}", "walk: {through: [5, 6], every: 1s}"),
    "classes": ("model: {file: conditional.safetensors, class: 0}",
                "model: {file: conditional.safetensors, class: 0}\nclasses: 2"),
    "push": ("", "push: {toward: 9, by: 0.5}"),
    "mix": ("", "mix: {from: 9, layers: fine}"),
    "blend": ("", "blend: {by: notes, latents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}"),
    "smooth": ("walk: {every: 0.5s, path: step}", "walk: {every: 0.5s, path: step}\nsmooth: 0.4s"),
    "truncation": ("", "truncation: 0.3"),
    "noise": ("model: noisy.safetensors", "model: noisy.safetensors\nnoise: off"),
    "regions": ("", "regions: {from: 9, where: left}"),
    "bend": ("", "bend: {layer: 2, multiply: 1.5}"),
    "camera": ("", "camera: {zoom: 1.5}"),
    "layer": ("", "layer: 3"),
    "effects": ("", "effects: [{contrast: 2}]"),
}  # fmt: skip
"""The words of a scene."""

WHOLE = [
    Rows("Recipe", "*", {
        **LOOKS,
        "include": "include: [base.yaml, more.yaml]",
        "model": ("model: cppn#7", "model: cppn#8"),
        "seed": ("push: {random: true}", "push: {random: true}\nseed: 5"),
        "use": "use: {preset: wavefunk, latent_count: 8}",
        "tempo": ("walk: {every: 1 beat}\ntempo: {bpm: 120}", "walk: {every: 1 beat}\ntempo: {bpm: 100}"),
        "signals": ("truncation: hit", "truncation: hit\nsignals: {hit: {from: onset, release: 0.3, delay: 0.2}}"),
        "audio": ("truncation: hit", "truncation: hit\naudio: other.wav"),
        "vars": ("vars: {a: 1}\ntruncation: a", "vars: {a: 0.5}\ntruncation: a"),
        "curves": ("curves: {dim: 0.5}\ntruncation: dim", "curves: {dim: 0.7}\ntruncation: dim"),
        "scenes": ("scenes: [{for: 2s}, {truncation: 1}]", "scenes: [{for: 2s}, {truncation: 0.5}]"),
        "transition": ("scenes: [{for: 1s}, {truncation: 0.2}]",
                       "scenes: [{for: 1s}, {truncation: 0.2}]\ntransition: crossfade 1s"),
        "grid": "grid: {columns: 2, rows: 1, seeds: [1, 2]}",
        "video": "video: {size: 32}",
        "sections": (PIECE + "scenes: sections", PIECE + "scenes: sections\nsections: {count: 2}"),
    }, quick=("seed", "vars", "scenes", "transition", "truncation", "layer", "effects", "regions")),
    Rows("Scene", SCENES, {
        "transition": ("truncation: 0.2", "truncation: 0.2, transition: crossfade 1s"),
        "model": "model: cppn#8",
        "use": "use: wavefunk",
        "seed": ("push: {random: true}", "push: {random: true}, seed: 5"),
    }, quick=("model",)),
    Rows("Scene", "scenes: [{}, {truncation: 0.2, *}]", {"at": ("at: 1s", "at: 2s")}),
    Rows("Scene", "scenes: [{*}, {truncation: 0.2}]", {"for": ("for: 1s", "for: 2s")}),
    Rows("Transition", "scenes: [{for: 1s}, {truncation: 0.2}]\ntransition: {*}", {
        "crossfade": "crossfade: 1s",
        "ease": ("crossfade: 1s", "crossfade: 1s, ease: in_cubic"),
    }),
    Rows("Labelled", SECTIONS, {
        "transition": ("truncation: 0.2", "truncation: 0.2, transition: crossfade 1s"),
        "model": "model: cppn#8",
        "use": "use: wavefunk",
    }),
    Rows("Sectioned", PIECE + "scenes: {from: sections, *}", {
        "palette": "palette: {B: [1, 2]}",
        "labels": "labels: {B: {truncation: 0.3}}",
    }),
    Rows("Video", "model: noisy.safetensors\nvideo: {*}", {
        "size": "size: 48x32",
        "fit": ("size: 48x32", "size: 48x32, fit: contain"),
        "fps": "fps: 12",
        "duration": "duration: 2",
    }, quick=("size",)),
    Rows("Video", "truncation: hit\nvideo: {*}", {"start": "start: 0.7"}),
    Rows("Video", "walk: {every: 0.9s}\nvideo: {*}", {"loop": "loop: true"}),
    Rows("Video", "video: {*}", {
        "crf": "crf: 40",
        "preset": "preset: veryslow",
        "subsampling": "subsampling: '444'",
        "file": "file: mkv",
        "codec": ("file: mkv", "file: mkv, codec: ffv1"),
        "depth": ("file: mkv, codec: ffv1", "file: mkv, codec: ffv1, depth: 10"),
    }, shows="file"),
    Rows("Video", "model: clear.safetensors\nvideo: {file: mkv, codec: ffv1, *}", {"alpha": "alpha: true"},
         shows="file"),
]  # fmt: skip


def in_scenes(kind: str, form: str) -> Rows:
    """The words of a scene in one of several; what they stand beside, such as another model, is the whole film's."""
    each: dict[str, str | Pair] = {}
    for word, pair in LOOKS.items():
        texts = []
        for text in pair:
            lines = text.splitlines()
            own = ", ".join(line for line in lines if line.startswith(f"{word}:"))
            texts.append(f"{own}\n" + "\n".join(line for line in lines if not line.startswith(f"{word}:")))
        each[word] = (texts[0], texts[1])
    return Rows(kind, form, each, beside=True)


TABLE = [*MOVED, *bends(), *EFFECTS, *OVERLAYS, *WHOLE, in_scenes("Scene", SCENES), in_scenes("Labelled", SECTIONS)]
TABLE += [Rows("BendNoise", "*", {"speed": SPEED, "size": SIZE}), Rows("BendSharpen", "*", {"radius": RADIUS})]
