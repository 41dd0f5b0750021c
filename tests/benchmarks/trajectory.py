"""What compiling long recipes of every shape costs: ten minutes at 60 fps of an 18-layer model, with many words.

::

    python tests/benchmarks/trajectory.py [NAME ...]

Each row is a process of its own, which has heard the music before: seconds of CPU and the process's peak beyond that,
of compiling, and then of the keys of all segments.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from gandream.models.spec import Layer, Spec
from gandream.recipe.load import load_recipe
from gandream.rendering.plan import grid
from gandream.trajectory.compose import compose
from gandream.trajectory.pace import Route, retimed
from gandream.trajectory.scenes import compose_scenes

SPEC = Spec(
    family="stylegan2",
    name="18 layers",
    fingerprint="benchmark",
    latent_size=512,
    layers=tuple(Layer(f"layer{n}", 4 << (n + 1) // 2) for n in range(18)),
    size=(1024, 1024),
    noise=True,
    shown=tuple(Layer(f"layer{n}", 4 << (n + 1) // 2) for n in range(18)),
)
CLASSES = tuple(map(str, range(1000)))
WALK = "walk: {through: 0-299, every: 2s, path: spline, speed: 0.5 + 0.7*level}\n"
RECIPE = """
model: cppn#1
audio: {music}
signals: {{level: {{from: rms, smooth: 0.5}}, kick: {{from: onset, high: 120, release: 0.2}}, notes: chroma}}
push:
  - {{random: 12, by: 0.4*kick}}
  - {{random: 5, by: 0.5*level, layers: fine}}
  - {{random: 6, by: 0.2*kick, mode: drift, box: 1}}
mix:
  - {{from: 9, layers: fine, every: 4 beats, for: 1 beat, fade: 0.1s}}
  - {{from: {{wander: 3s}}, layers: middle, amount: 0.5*level}}
blend: {{by: notes, latents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], amount: 0.3}}
truncation: 0.6 + 0.4*lag(level, 1)
noise: {{mode: animate, strength: kick, layers: fine}}
tempo: {{bpm: 120}}
"""
EFFECTS = "effects: [{zoom: 1 + 0.05*kick}, {flash: 0.2*kick}%s]\n"
VIDEO = "video: {fps: 60, duration: 600%s}\n"
PLAIN = WALK + EFFECTS % "" + VIDEO % ""


def _scenes(count: int) -> str:
    """Scenes of equal length with words of their own."""
    scene = (
        "  - {{at: {at}s, walk: {{through: {first}-{last}, every: 2s, speed: 0.5 + level}}, "
        "push: [{{random: {first}, by: 0.4*kick}}, {{random: 5, by: '0.3*lag(kick, {slow})', mode: drift, box: 1}}], "
        "truncation: '0.6 + 0.4*lag(level, {slow})', effects: [{{zoom: 1 + 0.05*kick}}, {{glow: 0.3*level}}]}}\n"
    )
    each = (scene.format(at=n * 600 / count, first=n, last=n + 9, slow=0.5 + n / 10) for n in range(count))
    return "scenes:\n" + "".join(each)


CURVES = "curves:\n" + "".join(f"  c{n}: {f'c{n - 1} + ' if n else ''}0.1*sin({n + 1}*t)*level\n" for n in range(40))
LYRICS = ", {text: {file: lyrics.lrc}, opacity: 0.5 + 0.5*level, x: 0.5 + 0.1*sin(t)}, {text: A title, y: 0.1}"
REGIONS = "".join(
    f"  - {{from: {{wander: 2s}}, where: {{x: 0.5*sin(t + {n}), y: 0.3}}, amount: level}}\n" for n in range(6)
)
SHAPES = {
    "plain": PLAIN,
    "30 scenes": PLAIN + _scenes(30),
    "200 scenes": PLAIN + _scenes(200),
    "30 scenes, crossfades, closing": WALK
    + EFFECTS % ""
    + VIDEO % ", loop: true"
    + "transition: crossfade 2s\n"
    + _scenes(30),
    "grid 4x4": PLAIN.replace("0-299", "{seeds: 300}") + "grid: {columns: 4, rows: 4, seeds: 100-115}\n",
    "grid 16x16": PLAIN.replace(WALK, "") + "grid: {columns: 16, rows: 16, seeds: 100-355}\n",
    "40 curves": PLAIN + CURVES + "bend:\n" + "".join(f"  - {{layer: {n}, rotate: 10*c{39 - n}}}\n" for n in range(12)),
    "lyrics": WALK + EFFECTS % LYRICS + VIDEO % "",
    "6 regions": PLAIN + "regions:\n" + REGIONS,
    "smooth": PLAIN + "smooth: 0.5s\n",
    "camera, bouncing push": PLAIN + "camera: {zoom_speed: 0.1, shake: 0.02}\n",
    "classes by chroma": PLAIN.replace(WALK, "walk: wander\n") + "classes: {from: notes, smooth: 1s}\n",
    "even pace": WALK.replace("}", ", pace: perceptual}") + EFFECTS % "" + VIDEO % "",
}


def peak_mb() -> float:
    """The process's peak, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(name: str, folder: Path) -> tuple[float, float, float, float]:
    """Seconds and megabytes of compiling, and seconds and megabytes of all keys on top."""
    file = folder / "recipe.yaml"
    file.write_text(RECIPE.format(music=folder / "music.wav") + PLAIN)
    compose(load_recipe(file), SPEC, folder)  # hears the music, and imports what is imported once
    (folder / "lyrics.lrc").write_text("".join(f"[{n // 12:02}:{n % 12 * 5:02}.00]Line {n}\n" for n in range(120)))
    text = RECIPE.format(music=folder / "music.wav") + SHAPES[name]
    if "bouncing" in name:
        text = text.replace("push:\n", "push:\n  - {by: 0.4*kick, bounce: {box: 2}}\n")
    file.write_text(text)
    recipe, spec = load_recipe(file), replace(SPEC, classes=CLASSES) if "classes" in name else SPEC
    before, began = peak_mb(), time.process_time()
    if recipe.scenes is None:
        score = compose(recipe, spec, folder)
        trajectory = score.trajectory
        if recipe.walk.pace != "as written":
            route = Route.of(trajectory, False)
            trajectory = retimed(trajectory, route, route.table(np.ones(len(route.phases) - 1)))
        parts = [(trajectory, score.effects, 0, trajectory.frames)]
    else:
        cuts = compose_scenes(recipe, lambda _: spec, folder)[1]
        parts = [(cut.trajectory, cut.effects, cut.start, cut.stop) for cut in cuts]
    compiled, held = time.process_time() - began, peak_mb() - before
    began = time.process_time()
    for trajectory, effects, start, stop in parts:
        for first, last in grid(start, stop, trajectory.timeline.clock.fps):
            trajectory.key(effects.begin(first, last), last)
            effects.key(first, last)
    return compiled, held, time.process_time() - began, peak_mb() - before


def main() -> None:
    """Print a table."""
    if sys.argv[1:2] == ["--one"]:
        print("{:.2f} {:.0f} {:.2f} {:.0f}".format(*measured(sys.argv[2], Path(sys.argv[3]))))
        return
    from gandream.base import ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music.wav"
        tone = "aevalsrc='0.3*sin(2*PI*220*t)*(1+sin(2*PI*t/7))+0.4*sin(2*PI*60*t)*exp(-8*mod(t,0.5))':s=22050:d=600"
        ffmpeg.run("-loglevel", "error", "-f", "lavfi", "-i", tone, "-y", music)
        print("| 10 minutes, 60 fps, 18 layers | compiled, s | MB | keys, s | MB |\n|---|---:|---:|---:|---:|")
        began = True
        for name in sys.argv[1:] or SHAPES:
            command = [sys.executable, __file__, "--one", name, folder]
            if began:  # the music is heard, and kept
                subprocess.run(command, check=True, capture_output=True)
                began = False
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            print(f"| {name} | {' | '.join(done.stdout.split())} |", flush=True)


if __name__ == "__main__":
    main()
