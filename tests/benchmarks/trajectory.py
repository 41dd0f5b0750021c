"""What compiling a long recipe costs, and expanding it: ten minutes at 60 fps of an 18-layer model, with many words.

::

    python tests/benchmarks/trajectory.py
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from gandream.models.spec import Layer, Spec
from gandream.recipe.load import load_recipe
from gandream.trajectory.compose import compose

SPEC = Spec(
    family="stylegan2",
    name="18 layers",
    fingerprint="benchmark",
    latent_size=512,
    layers=tuple(Layer(f"layer{n}", 4 << (n + 1) // 2) for n in range(18)),
    size=(1024, 1024),
    noise=True,
)
RECIPE = """
model: cppn#1
audio: {music}
signals: {{level: {{from: rms, smooth: 0.5}}, kick: {{from: onset, high: 120, release: 0.2}}, notes: chroma}}
walk: {{through: 0-299, every: 2s, path: spline, speed: 0.5 + 0.7*level}}
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
effects: [{{zoom: 1 + 0.05*kick}}, {{flash: 0.2*kick}}]
tempo: {{bpm: 120}}
video: {{fps: 60, duration: 600}}
"""


def peak_mb() -> float:
    """The process's peak, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print seconds and megabytes."""
    from gandream.base import ffmpeg

    with tempfile.TemporaryDirectory() as folder:
        music, recipe = Path(folder) / "music.wav", Path(folder) / "long.yaml"
        tone = "aevalsrc='0.3*sin(2*PI*220*t)*(1+sin(2*PI*t/7))+0.4*sin(2*PI*60*t)*exp(-8*mod(t,0.5))':s=22050:d=600"
        ffmpeg.run("-loglevel", "error", "-f", "lavfi", "-i", tone, "-y", music)
        recipe.write_text(RECIPE.format(music=music))
        loaded = load_recipe(recipe)
        began = time.perf_counter()
        compose(loaded, SPEC, Path(folder))
        print(f"with hearing the music: {time.perf_counter() - began:.1f} s, peak {peak_mb():.0f} MB")
        before = peak_mb()
        times = []
        for _ in range(5):
            began = time.process_time()
            compose(loaded, SPEC, Path(folder))
            times.append(time.process_time() - began)
        print(f"compiled again: {sorted(times)[2]:.2f} s of CPU, {peak_mb() - before:.0f} MB above that peak")
        trajectory = compose(loaded, SPEC, Path(folder)).trajectory
        began = time.process_time()
        keys = [trajectory.key(start, start + 120) for start in range(0, trajectory.frames, 120)]
        print(f"keys of {len(keys)} segments: {time.process_time() - began:.2f} s of CPU, peak {peak_mb():.0f} MB")


if __name__ == "__main__":
    main()
