"""Every word changes pixels, and two equal recipes don't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gandream.recipe.effects import EFFECTS
from gandream.recipe.load import load_recipe
from gandream.rendering.projector import Projector
from gandream.run.prepare import prepare
from gandream.video.colour import display_bytes

STYLEGAN2 = Path(__file__).parents[1] / "models" / "data"
BASE = """\
model: cppn#7
audio: {music}
signals: {{hit: {{from: onset, release: 0.3}}, notes: chroma}}
walk: {{through: [1, 2, 3], every: 1.3s}}
video: {{size: 48x32, fps: 10, duration: 4}}
"""
LATENTS = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]"
OTHER = "through: null, every: null"
CONDITIONAL = "model: {file: {conditional}, class: 0}"

WORDS = {
    "model": ("model: cppn#7", "model: cppn#8"),
    "seed": ("push: {random: true}", "seed: 5\npush: {random: true}"),
    "tempo": ("walk: {every: 1 beat}\ntempo: {bpm: 120}", "walk: {every: 1 beat}\ntempo: {bpm: 100}"),
    "signals": ("truncation: hit", "truncation: hit\nsignals: {hit: {from: onset, release: 0.3, delay: 0.2}}"),
    "vars": ("vars: {a: 1}\ntruncation: a", "vars: {a: 0.5}\ntruncation: a"),
    "walk.through": ("", "walk: {through: [1, 2, 4]}"),
    "walk.through mean": ("", "walk: {through: [1, mean, 3]}"),
    "walk.through between": ("", "walk: {through: [1, {between: [2, 3]}, 3]}"),
    "walk.every": ("", "walk: {every: 0.7s}"),
    "walk.at": ("", "walk: {every: null, at: [0s, 0.5s, 2s]}"),
    "walk.space": ("", "walk: {through: [1, 2, 3], space: w}"),
    "walk.path lerp": ("", "walk: {path: lerp}"),
    "walk.path spline": ("walk: {path: lerp}", "walk: {path: spline}"),
    "walk.path step": ("", "walk: {path: step}"),
    "walk.ease": ("", "walk: {ease: in_out_cubic}"),
    "walk.loop": ("", "walk: {loop: false}"),
    "walk.through range": ("", "walk: {through: 1-4}"),
    "walk.through drawn": ("", "walk: {through: {seeds: 3}}"),
    "walk.every list": ("", "walk: {every: [1.3s, 0.4s]}"),
    "walk.path list": ("", "walk: {path: [slerp, lerp]}"),
    "walk.ease list": ("", "walk: {ease: [linear, in_circ]}"),
    "walk.order": ("", "walk: {order: reverse}"),
    "walk.shuffle": ("walk: {through: 1-9}", "walk: {through: 1-9, shuffle: 3}"),
    "walk.wander": ("", f"walk: {{{OTHER}, wander: 1s}}"),
    "walk.wander.amount": (f"walk: {{{OTHER}, wander: {{around: 7}}}}", f"walk: {{{OTHER}, wander: {{amount: hit}}}}"),
    "walk.circle": ("", f"walk: {{{OTHER}, circle: 3s}}"),
    "walk.circle.plane": (f"walk: {{{OTHER}, circle: {{}}}}", f"walk: {{{OTHER}, circle: {{plane: [1, 2]}}}}"),
    "walk.simplex": ("", f"walk: {{{OTHER}, simplex: 3s}}"),
    "walk.simplex.kind": (f"walk: {{{OTHER}, simplex: {{}}}}", f"walk: {{{OTHER}, simplex: {{kind: perlin}}}}"),
    "walk.simplex.diameter": (f"walk: {{{OTHER}, simplex: {{}}}}", f"walk: {{{OTHER}, simplex: {{diameter: 2}}}}"),
    "walk.bounce": ("", f"walk: {{{OTHER}, bounce: 1}}"),
    "walk.bounce.randomness": (f"walk: {{{OTHER}, bounce: {{}}}}", f"walk: {{{OTHER}, bounce: {{randomness: 0.9}}}}"),
    "walk.bounce.box": (f"walk: {{{OTHER}, bounce: 2}}", f"walk: {{{OTHER}, bounce: {{speed: 2, box: 1}}}}"),
    "walk.plane": ("", f"walk: {{{OTHER}, plane: {{x: t}}}}"),
    "walk.plane.stride": (f"walk: {{{OTHER}, plane: {{y: t}}}}", f"walk: {{{OTHER}, plane: {{stride: 3}}}}"),
    "walk.speed": ("", "walk: {speed: 1 + hit}"),
    "classes": (CONDITIONAL, f"{CONDITIONAL}\nclasses: 2"),
    "classes.through": (f"{CONDITIONAL}\nclasses: [0, 1]", f"{CONDITIONAL}\nclasses: [0, 2]"),
    "classes.every": (f"{CONDITIONAL}\nclasses: [0, 1]", f"{CONDITIONAL}\nclasses: {{through: [0, 1], every: 1s}}"),
    "classes.at": (f"{CONDITIONAL}\nclasses: [0, 1]", f"{CONDITIONAL}\nclasses: {{through: [0, 1], at: [0, 1]}}"),
    "classes.hold": (f"{CONDITIONAL}\nclasses: [0, 1]", f"{CONDITIONAL}\nclasses: {{through: [0, 1], hold: 75%}}"),
    "classes.ease": (f"{CONDITIONAL}\nclasses: [0, 1]", f"{CONDITIONAL}\nclasses: {{through: [0, 1], ease: hold}}"),
    "classes.loop": (
        f"{CONDITIONAL}\nclasses: {{through: [0, 1], every: 1s}}",
        f"{CONDITIONAL}\nclasses: {{through: [0, 1], every: 1s, loop: false}}",
    ),
    "push.toward": ("", "push: {toward: 9, by: 0.5}"),
    "push.random": ("", "push: {random: 9, by: hit}"),
    "push.mode": ("push: {random: 9, by: hit}", "push: {random: 9, by: hit, mode: drift}"),
    "push.box": ("push: {random: 9, mode: drift}", "push: {random: 9, mode: drift, box: 0.5}"),
    "push.space": ("push: {random: 9, by: hit}", "push: {random: 9, by: hit, space: w}"),
    "push.layers": ("push: {random: 9, space: w}", "push: {random: 9, layers: fine}"),
    "mix": ("", "mix: {from: 9, layers: fine}"),
    "mix.from walk": ("mix: {from: 9}", "mix: {from: {through: [9, 10], every: 1s}}"),
    "mix.layers": ("mix: {from: 9}", "mix: {from: 9, layers: 0-2}"),
    "mix.amount": ("mix: {from: 9}", "mix: {from: 9, amount: 0.5}"),
    "mix.at": ("mix: {from: 9}", "mix: {from: 9, at: 2s}"),
    "mix.until": ("mix: {from: 9}", "mix: {from: 9, until: 2s}"),
    "mix.fade": ("mix: {from: 9, at: 1s}", "mix: {from: 9, at: 1s, fade: 1s}"),
    "blend": ("", f"blend: {{by: notes, latents: {LATENTS}}}"),
    "blend.layers": (
        f"blend: {{by: notes, latents: {LATENTS}}}",
        f"blend: {{by: notes, latents: {LATENTS}, layers: fine}}",
    ),
    "blend.amount": (
        f"blend: {{by: notes, latents: {LATENTS}}}",
        f"blend: {{by: notes, latents: {LATENTS}, amount: 0.4}}",
    ),
    "truncation": ("", "truncation: 0.5"),
    "truncation by layer": ("truncation: 0.5", "truncation: [{layers: coarse, psi: 0.5}]"),
    "curves": ("curves: {dim: 0.5}\ntruncation: dim", "curves: {dim: 0.7}\ntruncation: dim"),
    "scenes": ("", "scenes: [{for: 2s}, {truncation: 0.5}]"),
    "scenes.model": ("scenes: [{for: 2s}, {}]", "scenes: [{for: 2s}, {model: cppn#8}]"),
    "scenes.seed": ("push: {random: true}", "push: {random: true}\nscenes: [{seed: 5}]"),
    "scenes by sections": ("walk: {every: 1s}", "walk: {every: 1s}\nscenes: sections"),
    "transition": (
        "scenes: [{for: 2s}, {truncation: 0.2}]",
        "scenes: [{for: 2s}, {truncation: 0.2}]\ntransition: crossfade 1s",
    ),
    "smooth": ("walk: {path: step}", "walk: {path: step}\nsmooth: 0.3s"),
    "use": ("", "use: {preset: wavefunk, latent_count: 8}"),
    "camera": ("", "camera: {zoom: 1.5}"),
    "bend": ("", "bend: {layer: 2, multiply: 1.5}"),
    "regions": ("", "regions: {from: 9, where: left}"),
    "grid": ("", "grid: {columns: 2, rows: 1, seeds: [1, 2]}"),
    "effects": ("", "effects: [{contrast: 1.5}]"),
    "video.size": ("video: {size: 48x32}", "video: {size: 32x48}"),
    "video.start": ("truncation: hit", "truncation: hit\nvideo: {start: 0.7}"),
    "video.loop": ("walk: {every: 0.9s}", "walk: {every: 0.9s}\nvideo: {loop: true}"),
    "noise.mode off": ("model: {stylegan2}", "model: {stylegan2}\nnoise: off"),
    "noise.mode animate": ("model: {stylegan2}", "model: {stylegan2}\nnoise: animate"),
    "noise.strength": ("model: {stylegan2}", "model: {stylegan2}\nnoise: {strength: 2}"),
    "noise.speed": ("model: {stylegan2}\nnoise: animate", "model: {stylegan2}\nnoise: {mode: animate, speed: 3}"),
    "noise.seed": ("model: {stylegan2}\nnoise: animate", "model: {stylegan2}\nnoise: {mode: animate, seed: 3}"),
    "noise.layers": ("model: {stylegan2}\nnoise: off", "model: {stylegan2}\nnoise: {mode: off, layers: 0-1}"),
    "layer": ("", "layer: 3"),
    "layer of a file": ("model: {stylegan2}\nlayer: 3", "model: {stylegan2}\nlayer: b16.conv1"),
    "video.fit": ("model: {stylegan2}", "model: {stylegan2}\nvideo: {fit: contain}"),
    "video.fit extend": ("model: {stylegan2}", "model: {stylegan2}\nvideo: {fit: extend}"),
}
LOGO = Path(__file__).parents[1] / "effects" / "logo.png"
GIVEN = {
    **{"hue": 60, "flash": 0.4, "zoom": 1.3, "rotate": 20, "pan": 0.2, "pixelate": 0.2},
    **{"text": "hello, size: 0.5", "image": f"'{LOGO}'", "mask": f"'{LOGO}'"},
}
"""Effects whose main parameter must be given (pixelate: cells larger than the pixels of so small a picture)."""
WORDS |= {
    f"effects {name}": ("", f"effects: [{{{name}: {GIVEN[name]}}}]" if name in GIVEN else f"effects: [{name}]")
    for name in EFFECTS
}


def frames(folder: Path, name: str, changes: str, music: Path) -> np.ndarray:
    """Display values of every fifth frame, uint8."""
    stylegan2 = sorted(STYLEGAN2.rglob("*.pkl"))[0]
    (folder / "base.yaml").write_text(BASE.format(music=music))
    text = changes.replace("{stylegan2}", str(stylegan2))
    (folder / f"{name}.yaml").write_text(f"include: base.yaml\n{text}\n")
    recipe = load_recipe(folder / f"{name}.yaml")
    prepared = prepare(recipe, folder / "cache")
    reel = prepared.reel("cpu")
    projector = Projector(reel, prepared.load("cpu"))
    made = [images for one in reel.segments for images in projector.pictures(one.start, one.stop)]
    return np.concatenate([display_bytes(images).numpy() for images in made])[::5]


@pytest.fixture(scope="module")
def conditional(stylegan2_file: Callable[..., Path]) -> Path:
    return stylegan2_file(classes=3)


@pytest.mark.parametrize("word", WORDS)
def test_the_word_changes_pixels(tmp_path: Path, clicks: Path, conditional: Path, word: str):
    texts = [text.replace("{conditional}", str(conditional)) for text in WORDS[word]]
    without, having = (frames(tmp_path, name, text, clicks) for name, text in zip("ab", texts, strict=True))
    same = frames(tmp_path, "c", texts[1], clicks)
    assert np.array_equal(having, same), "two equal recipes make equal frames"
    if without.shape == having.shape:
        assert np.abs(without.astype(int) - having).max() > (0 if word.startswith("effects ") else 3)


def test_every_word_of_the_scene_is_here():
    from gandream.recipe.recipe import Recipe

    silent = {"gandream", "title", "audio", "include", "sections"}  # clicks have no sections
    assert {name.split()[0].split(".")[0] for name in WORDS} >= set(Recipe.words()) - silent
