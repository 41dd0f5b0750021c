"""Picture files as they are laid over films: eight bits, straight alpha."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.hashing import file_fingerprint

MOST_PIXELS = 1 << 26


@dataclass(frozen=True)
class Still:
    """A picture from a file: uint8 [h, w, 4], and the hash of the file."""

    fingerprint: str
    pixels: np.ndarray = field(repr=False, compare=False)

    def key(self, start: int, stop: int) -> Any:
        """What of it shapes frames [start, stop)."""
        return self.fingerprint

    def premultiplied(self) -> np.ndarray:
        """Float32 [h, w, 4] in [0, 1], colours times opacity, so that means over several pixels are right."""
        pixels = self.pixels.astype(np.float32) / 255
        pixels[..., :3] *= pixels[..., 3:]
        return pixels


def read_still(path: Path) -> Still:
    """Read a picture (of moving ones the first); ValueError says what is wrong with it."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    fingerprint = file_fingerprint(path)
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"a picture of {opened.width}x{opened.height} is too large to lay over a film")
            image: Any = ImageOps.exif_transpose(opened)
            if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut at 255
                image = Image.fromarray((np.asarray(image) / 257).round().clip(0, 255).astype(np.uint8))
            pixels = np.array(image.convert("RGBA"))
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise ValueError("this is no picture that can be read") from None
    except (OSError, SyntaxError, EOFError, MemoryError) as error:
        raise ValueError(f"the picture is damaged ({error})") from None
    return Still(fingerprint, pixels)
