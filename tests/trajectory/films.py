"""Small videos for tests, whose pictures are known."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from gandream.base import ffmpeg

SIDE = 48


def film_of(pictures: np.ndarray, path: Path, fps: int = 30) -> Path:
    """A lossless video of pictures uint8 [S, h, w, 3], each of whose pixels becomes a square of equal colour."""
    many = np.kron(pictures, np.ones((1, SIDE // pictures.shape[1], SIDE // pictures.shape[2], 1), np.uint8))
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIDE}x{SIDE}", "-r", str(fps), "-i", "-"]
    command = [ffmpeg.executable(), "-loglevel", "error", "-y", *raw, "-c:v", "ffv1", "-pix_fmt", "bgr0", str(path)]
    subprocess.run(command, input=many.astype(np.uint8).tobytes(), check=True)
    return path
