"""Draw the pictures of the documentation again: ``python docs/draw.py`` for all, or with names for some.

Walks get a strip of frames and their way through latent space, effects a frame before and after, recipes a strip. The
pictures are kept in ``docs/pages/pictures``; curves are drawn when the site is built.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from PIL import Image

from gandream.base import ffmpeg
from gandream.base.errors import CheckpointError
from gandream.recipe.bend import BENDS
from gandream.recipe.effects import EFFECTS
from gandream.recipe.load import load_recipe, recipe_from
from gandream.recipe.recipe import Recipe
from gandream.recipe.walk import WALKS
from gandream.rendering.projector import Projector
from gandream.rendering.store import store_folder
from gandream.run.picture import DEFAULT_SIZE
from gandream.run.prepare import Prepared, describe_model, prepare
from gandream.run.reference.plots import path_plot
from gandream.video.colour import display_bytes

DOCS = Path(__file__).resolve().parent
PICTURES = DOCS / "pages" / "pictures"
RECIPES = DOCS.parent / "recipes"
SIDE, FRAMES, GAP, QUALITY = 128, 6, 3, 70

WALKED: dict[str, Any] = {
    "through": {"through": [1, 7, 17, 5], "every": "4s"},
    "wander": {"wander": {"sigma": "2s", "seed": 3}},
    "circle": {"circle": {"every": "16s", "radius": 0.8, "seed": 3}},
    "simplex": {"simplex": {"every": "16s", "diameter": 1.5, "seed": 2}},
    "bounce": {"bounce": {"speed": 0.5, "seed": 3}},
    "file": {"file": "path.npz"},
    "plane": {"plane": {"x": "t / 5", "y": "sin(t / 3)"}},
    "footage": {"footage": "clip.mp4"},
}
PATHS: dict[str, Any] = {
    "slerp": {"through": [1, 7, 17, 5]},
    "lerp": {"through": [1, 7, 17, 5], "path": "lerp"},
    "spline": {"through": [1, 7, 17, 5], "path": "spline"},
    "step": {"through": [1, 7, 17, 5], "path": "step"},
}
DONE: dict[str, Any] = {
    **{"contrast": 1.6, "brightness": 1.6, "saturation": 2, "hue": 120, "flash": 0.5, "invert": 1, "gamma": 1.8},
    **{"auto_levels": 1, "posterise": 4, "fade": 0.5, "vignette": 0.9, "grain": 0.12, "blur": 0.03, "glow": 1.5},
    **{"sharpen": 3, "aberration": 0.03, "mirror": "horizontal", "kaleidoscope": 6, "zoom": 2, "rotate": 25},
    **{"pan": 0.3, "pixelate": 0.05, "trails": 0.9, "echo": 0.8, "text": "Night Drive", "image": "logo.png"},
    "mask": "mask.png",
}
BESIDE: dict[str, dict[str, Any]] = {
    "glow": {"threshold": 0.3},
    "sharpen": {"radius": 0.01},
    "text": {"size": 0.14},
    "image": {"size": 0.4, "x": 0.45, "y": -0.45},
    "mask": {"colour": "black"},
    "trails": {"zoom": 1.02, "turn": 1},
    "grain": {"size": 6},
}
BENT: dict[str, Any] = {
    **{"multiply": 2.2, "ablate": 1, "invert": 1, "threshold": 0.5, "noise": 0.8, "translate": [0.25, 0.1]},
    **{"rotate": 45, "zoom": 1.8, "flip": "horizontal", "erode": 0.1, "dilate": 0.1, "blur": 0.08, "sharpen": 4},
    "edges": 1,
}


def main(names: Sequence[str]) -> None:
    """Draw what is named, or all of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Callable[[], None]] = {
        **{f"walk.{kind}": lambda kind=kind: _walk(f"walk.{kind}", WALKED[kind]) for kind in WALKS},
        **{f"walk.path.{path}": lambda path=path: _walk(f"walk.path.{path}", PATHS[path]) for path in PATHS},
        **{f"effects.{effect}": lambda effect=effect: _effect(effect) for effect in EFFECTS},
        **{f"bend.{bend}": lambda bend=bend: _bend(bend) for bend in BENDS},
        **{f"recipe.{file.stem}": lambda file=file: _recipe(file) for file in sorted(RECIPES.glob("*.yaml"))},
    }
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _lay()
        for name, draw in drawn.items():
            if not names or any(f"{name}.".startswith(f"{one}.") for one in names):
                print(name, flush=True)
                draw()


def _walk(name: str, walk: Any) -> None:
    words = {"model": "cppn#12", "walk": walk, "video": {"size": SIDE, "fps": 30, "duration": 16}}
    prepared = _prepared(recipe_from(words))
    trajectory = prepared.score.trajectory
    points = trajectory.latents(0, trajectory.frames).reshape(trajectory.frames, -1)
    stops = points[:: trajectory.frames // 4] if "through" in walk else None
    (PICTURES / f"{name}.svg").write_text(path_plot(points, stops) + "\n", encoding="utf-8")
    _strip(f"{name}.webp", _at(prepared, FRAMES))


def _effect(name: str) -> None:
    """The frame with the effect, beside the one without it."""
    moving = name in ("trails", "echo")
    walk = {"through": [11, 3, 12], "every": "1s"} if moving else {"through": [11]}
    words = {"model": "cppn#16", "walk": walk, "video": {"size": 160, "duration": 3}}
    entry = {name: DONE[name], **BESIDE.get(name, {})}
    before, after = (
        _frames(_prepared(recipe_from({**words, "effects": effects})), [45])[0] for effects in ([], [entry])
    )
    _strip(f"effects.{name}.webp", [before, after])


def _bend(name: str) -> None:
    words = {"model": "cppn#16", "walk": {"through": [11]}, "video": {"size": 160, "duration": 1}}
    entry = {"layer": 2, name: BENT[name]}
    before, after = (_frames(_prepared(recipe_from({**words, "bend": bends})), [10])[0] for bends in ([], [entry]))
    _strip(f"bend.{name}.webp", [before, after])


def _recipe(file: Path) -> None:
    recipe = load_recipe(file)
    try:
        spec = describe_model(recipe)
    except CheckpointError as error:
        print(f"  left out: {error.problem}")
        return
    wide, high = recipe.video.size or (spec.size or DEFAULT_SIZE)[::-1]
    smaller = load_recipe(file, [f"video.size={round(SIDE * wide / high)}x{SIDE}"])
    _strip(f"recipe.{file.stem}.webp", _at(_prepared(smaller), max(2, round(FRAMES * min(1.2, high / wide)))))


def _prepared(recipe: Recipe) -> Prepared:
    return prepare(recipe, store_folder(Path()))


def _at(prepared: Prepared, count: int) -> list[np.ndarray]:
    """So many frames, evenly over the film."""
    frames = prepared.score.trajectory.frames
    return _frames(prepared, [round((number + 0.5) * frames / count) for number in range(count)])


def _frames(prepared: Prepared, numbers: Sequence[int]) -> list[np.ndarray]:
    made = []
    for number in numbers:
        reel = prepared.reel("cpu", (number, number + 1))
        (image,) = Projector(reel, prepared.load("cpu")).pictures(number, number + 1, batch=1)
        made.append(display_bytes(image)[0].numpy())
    return made


def _strip(name: str, frames: Sequence[np.ndarray]) -> None:
    """Frames beside one another, with what is between them transparent."""
    high, wide = frames[0].shape[:2]
    strip = Image.new("RGBA", (len(frames) * (wide + GAP) - GAP, high))
    for place, frame in enumerate(frames):
        strip.paste(Image.fromarray(frame).convert("RGBA"), (place * (wide + GAP), 0))
    strip.save(PICTURES / name, quality=QUALITY, method=6)


def _lay() -> None:
    """Files for the pictures: a saved trajectory, a clip, a logo, a mask."""
    angle = np.linspace(0, 2 * np.pi, 480, endpoint=False)[:, None]
    random = np.random.RandomState(5)
    ways = [random.randn(1, 64) for _ in range(6)]
    knot = np.sum([np.sin((at + 1) * angle / 2 + at) * way for at, way in enumerate(ways)], axis=0) / 1.7
    np.savez("path.npz", z=_fitted(knot), fps=30)
    ramp = np.linspace(0, 1, 48)
    shapes = [
        np.abs(np.sin(6 * (ramp[:, None] * np.cos(k / 19) + ramp[None] * np.sin(k / 13)) + k / 8)) for k in range(160)
    ]
    clip = np.stack([np.stack([one, one**2, 1 - one], axis=-1) for one in shapes])
    Path("clip.raw").write_bytes((255 * clip).astype(np.uint8).tobytes())
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "48x48", "-r", "10", "-i", "clip.raw"]
    ffmpeg.run("-loglevel", "error", *raw, "-pix_fmt", "yuv420p", "clip.mp4")
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    ring = np.clip(20 * (0.12 - np.abs(np.hypot(x, y) - 0.75)), 0, 1) + np.clip(30 * (0.3 - np.hypot(x, y)), 0, 1)
    white = np.full((200, 200, 3), 255)
    logo = np.concatenate([white, 255 * np.clip(ring, 0, 1)[..., None]], axis=-1).astype(np.uint8)
    Image.fromarray(logo, "RGBA").save("logo.png")
    Image.fromarray((255 * np.clip(20 * (np.hypot(x, y) - 0.6), 0, 1)).astype(np.uint8)).save("mask.png")


def _fitted(rows: np.ndarray) -> np.ndarray:
    """Rows with as many numbers as the model's latents have."""
    from gandream.models.registry import describe

    size = describe("cppn#12").latent_size
    return np.tile(rows, (1, -(-size // rows.shape[1])))[:, :size].astype(np.float32)


if __name__ == "__main__":
    main(sys.argv[1:])
