"""Every file that examples and pages name, small and synthetic, and recipes that examples complete."""

from __future__ import annotations

import subprocess
from pathlib import Path

import matplotlib
import numpy as np

from gandream.base import ffmpeg
from gandream.recipe.examples import BASE
from gandream.recipe.load import load_recipe, recipe_from
from gandream.recipe.reader import read_text
from gandream.recipe.recipe import Recipe

SOUNDS = ("song.wav", "drums.wav", "vocals.wav", "bass.wav")
PICTURES = ("mask.png", "logo.png")


def lay(folder: Path, sound: Path) -> Path:
    """Write the files; latents are those of a model with 64 numbers in z and w."""
    from PIL import Image

    random = np.random.RandomState(0)
    for name in SOUNDS:
        (folder / name).write_bytes(sound.read_bytes())
    np.savez(folder / "faces.npz", smile=random.randn(64), angry=random.randn(64))
    np.savez(folder / "directions.npz", smile=random.randn(64), age=random.randn(64))
    np.save(folder / "smile.npy", random.randn(64))
    np.save(folder / "components.npy", random.randn(5, 64))
    np.save(folder / "walk.npy", random.randn(6, 64))
    np.savez(folder / "path.npz", z=random.randn(60, 64).astype(np.float32), fps=30)
    (folder / "automation.csv").write_text("time,cutoff\n0,0\n8,1\n")
    (folder / "song.lrc").write_text("[00:01.00]la\n")
    (folder / "base.yaml").write_text("truncation: 0.8\n")
    (folder / "take.mid").write_bytes(_midi())
    (folder / "title.ttf").write_bytes((Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf").read_bytes())
    (folder / "network.pkl").write_bytes(b"only its name is read")
    for name in PICTURES:
        Image.fromarray(random.randint(0, 255, (16, 16), np.uint8)).save(folder / name)
    _clip(folder / "clip.mp4")
    return folder


def completed(example: str, folder: Path, base: str = BASE, **more: str) -> Recipe:
    """The recipe that an example completes, read as one is from its file; ``more`` are words beside it."""
    text = "".join(f"{word}: {value}\n" for word, value in more.items() if f"{word}:" not in example)
    made, _ = read_text(base, "base", folder)
    said, _ = read_text(f"{example}\n{text}", "example", folder)
    if not made.keys() & said.keys():
        file = folder / "film.yaml"
        file.write_text(f"{base}\n{example}\n{text}")
        return load_recipe(file)
    for word, value in said.items():
        both = word in ("signals", "video") and isinstance(value, dict) and isinstance(made.get(word), dict)
        made[word] = {**made[word], **value} if both else value
    return recipe_from(made, "example")


def _midi() -> bytes:
    """Note 36 and controller 7 on one track, 480 ticks to a beat."""
    events = bytes.fromhex("00902464 8360 80240000 00b0077f 8360 b00700 00ff2f00".replace(" ", ""))
    header = b"MThd" + (6).to_bytes(4, "big") + bytes.fromhex("0000 0001 01e0".replace(" ", ""))
    return header + b"MTrk" + len(events).to_bytes(4, "big") + events


def _clip(file: Path) -> None:
    frames = np.random.RandomState(1).randint(0, 255, (20, 16, 16, 3), np.uint8)
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "16x16", "-r", "10", "-i", "-"]
    subprocess.run(
        [ffmpeg.executable(), "-loglevel", "error", *raw, "-pix_fmt", "yuv420p", str(file)],
        input=frames.tobytes(),
        check=True,
    )
