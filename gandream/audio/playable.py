"""Sound files for ffmpeg: those that only libsndfile reads are written again as WAV."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gandream.audio.decode import ffmpeg_reads

BLOCK = 1 << 16
"""Samples that are held at once."""


@contextmanager
def playable(path: Path) -> Iterator[Path]:
    """The file itself where ffmpeg reads it, or a temporary WAV of the same samples, all channels kept."""
    if ffmpeg_reads(path):
        yield path
        return
    import soundfile

    with tempfile.TemporaryDirectory(prefix="gandream-") as folder:
        copy = Path(folder) / "sound.wav"
        with soundfile.SoundFile(str(path)) as source:
            facts = {"samplerate": source.samplerate, "channels": source.channels, "format": "RF64", "subtype": "FLOAT"}
            with soundfile.SoundFile(str(copy), "w", **facts) as target:
                for block in source.blocks(BLOCK, dtype="float32"):
                    target.write(block)
        yield copy
