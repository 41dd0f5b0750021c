"""Seconds and memory of analysing music: ``python tests/benchmarks/audio.py``.

How long librosa takes to load; three minutes of synthetic music with every kind of signal, cold and from the cache;
each kind alone; and the peak memory of a process that analyses one, three and ten minutes. All in processes of their
own; librosa is loaded within the analysis, and not where the cache answers.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

LIBROSA = "import librosa; librosa.stft, librosa.cqt, librosa.onset.onset_strength, librosa.beat.beat_track"
KINDS = ("rms", "onset", "beat", "chroma", "band")


def music(path: Path, minutes: float, rate_hz: int = 44_100) -> None:
    """Write drums at 120 BPM over four chords, stereo, with some noise."""
    rng = np.random.default_rng(0)
    bar = np.arange(2 * rate_hz) / rate_hz
    beat = bar[: rate_hz // 2]
    kick = np.sin(2 * np.pi * (50 * beat + 3 * (1 - np.exp(-beat / 0.03)))) * np.exp(-beat / 0.12)
    hat = rng.normal(size=len(beat)) * np.exp(-beat / 0.03) * 0.2
    drums = np.tile(0.6 * kick + np.roll(hat, len(hat) // 2), 4)
    with soundfile.SoundFile(path, "w", rate_hz, 2) as file:
        for number in range(round(minutes * 30)):
            root = 110 * 2 ** ((0, 5, 7, 3)[number % 4] / 12)
            chord = sum(np.sin(2 * np.pi * root * ratio * bar) for ratio in (1, 1.5, 2, 2.52, 3))
            sound = drums + 0.06 * chord + rng.normal(size=len(bar)) * 0.003
            file.write(np.stack([sound, 0.8 * sound], axis=1) * 0.7)


def measure(path: Path, cache: Path | None, kinds: tuple[str, ...] = KINDS) -> None:
    """Analyse in this process and say how long each part took, and its peak memory."""
    start = time.perf_counter()
    from gandream.audio.analyse import analyse
    from gandream.recipe.signals import Signal

    signals = [Signal.model_validate({"from": kind, "high": 200} if kind == "band" else kind) for kind in kinds]
    imported = time.perf_counter()
    analyse(path, signals, beats=True, cache=cache)
    done = time.perf_counter()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"imports {imported - start:5.2f} s   analysis {done - imported:6.2f} s   peak {peak_mb:5.0f} MB")


def apart(*arguments: object) -> str:
    """What :func:`measure` says in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Print the figures."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBROSA], check=True)
    print(f"librosa loaded in       {time.perf_counter() - start:5.2f} s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for minutes in (1, 3, 10):
            music(folder / f"{minutes}.flac", minutes)
        print("3 min, all kinds, cold ", apart(folder / "3.flac", folder / "cache"))
        print("3 min, all kinds, warm ", apart(folder / "3.flac", folder / "cache"))
        for kind in KINDS:
            print(f"3 min, {kind:15s} ", apart(folder / "3.flac", "", kind))
        for minutes in (1, 3, 10):
            print(f"{minutes:2d} min, all kinds      ", apart(folder / f"{minutes}.flac"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        kept = Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2] else None
        measure(Path(sys.argv[1]), kept, tuple(sys.argv[3:]) or KINDS)
    else:
        main()
