"""Peak memory of renders of different lengths: python tests/benchmarks/memory.py [--minutes 1 10] [--music]

Each is rendered in a process of its own, whose largest resident set counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RECIPE = """
model: cppn#7
walk: {{through: [1, 2, 3, 4, 5], every: 7}}
push: {{random: 3, by: {by}}}
effects: [{{trails: 0.7}}, grain]
{music}
video: {{size: {size}, fps: {fps}, duration: {seconds}, preset: ultrafast}}
"""


def music(path: Path, seconds: int) -> str:
    """Words of a recipe that listens to that long a file of noise bursts."""
    import soundfile

    rate, draw = 44_100, np.random.default_rng(0)
    with soundfile.SoundFile(path, "w", rate, 2, "PCM_16") as file:
        for _ in range(seconds * 2):
            burst = draw.normal(0, 0.2, (rate // 2, 2)) * np.exp(-np.arange(rate // 2) / 4000)[:, None]
            file.write(burst)
    return f"audio: {path}\nsignals: {{level: rms, kick: {{from: onset, high: 120}}, tones: chroma}}"


def peak(folder: Path, minutes: float, arguments: argparse.Namespace) -> tuple[int, int, float]:
    """Megabytes at most, frames, seconds."""
    folder.mkdir()
    seconds = round(60 * minutes)
    words = music(folder / "music.wav", seconds) if arguments.music else ""
    by = "0.3*kick" if arguments.music else "0.3*sin(t)"
    facts = {"size": arguments.size, "fps": arguments.fps, "seconds": seconds}
    (folder / "r.yaml").write_text(RECIPE.format(by=by, music=words, **facts))
    began = time.perf_counter()
    command = [sys.executable, "-m", "gandream", "render", "r.yaml", "--device", arguments.device]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((folder / "outputs/r.mp4.manifest.json").read_text())
    return manifest["figures"]["peak_memory_mb"], manifest["video"]["frames"], time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--music", action="store_true", help="with music that is heard")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    print("| minutes | frames | peak memory, MB | seconds |\n|---:|---:|---:|---:|")
    peaks = []
    with tempfile.TemporaryDirectory() as folder:
        for minutes in arguments.minutes:
            most, frames, seconds = peak(Path(folder, f"{minutes:g}"), minutes, arguments)
            peaks.append(most)
            print(f"| {minutes:g} | {frames} | {most} | {seconds:.0f} |", flush=True)
    print(f"\nlongest / shortest: {peaks[-1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
