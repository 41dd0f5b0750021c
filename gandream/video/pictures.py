"""Folders of numbered pictures: PNG, JPEG, WebP and OpenEXR, each published whole, found again by its content key.

The folder's own list says of each picture of which key it is, its digest and its looks: what is there and unchanged
isn't made again, and what is damaged is noticed. It is only ever appended to, one line a picture, so that a kill loses
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import io
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gandream.base.files import disk_errors, published
from gandream.video.animation import quality
from gandream.video.exr import exr_bytes
from gandream.video.png import png_bytes
from gandream.video.quality.looks import Looks, looks_of, points_of, together, unpacked
from gandream.video.stamp import stamped

if TYPE_CHECKING:
    from torch import Tensor

SUFFIX = {"png": ".png", "jpg": ".jpg", "webp-images": ".webp", "exr": ".exr"}
LISTING, OWNER = ".pictures", "recipe"
REVISION = 1
"""Raised when the same frames become other files."""
READERS = 4
"""Threads that check what is there."""


@dataclass(frozen=True)
class PictureFormat:
    """How a frame becomes a file."""

    kind: str
    """A key of SUFFIX."""
    fps: Fraction
    depth: int = 8
    alpha: bool = False
    crf: int | None = None

    @property
    def suffix(self) -> str:
        """The end of the names."""
        return SUFFIX[self.kind]

    def key(self) -> list[Any]:
        """For content_key: what shapes the bytes besides the frame."""
        made_by = version("pillow") if self.kind in ("jpg", "webp-images") else ""
        return [REVISION, self.kind, self.fps, self.depth, self.alpha, self.crf, made_by]

    def codes(self, images: Tensor) -> Tensor:
        """What is written of [N, C, H, W] in [-1, 1]: [N, H, W, C], uint8, uint16 or half floats."""
        import torch

        if images.device.type == "mps" and self.depth > 8:
            images = images.cpu()  # as in ``video.colour.planes``
        shown = images.to(torch.float32).clamp(-1.0, 1.0).permute(0, 2, 3, 1)
        if self.kind == "exr":
            colour, opacity = linear((shown[..., :3] + 1) / 2), (shown[..., 3:] + 1) / 2
            linear_light = torch.cat([colour * opacity, opacity], dim=-1) if self.alpha else colour
            return linear_light.half().contiguous()
        largest, dtype = (255, torch.uint8) if self.depth == 8 else (65535, torch.uint16)
        return shown.mul(largest / 2).add_(largest / 2).round_().to(dtype).contiguous()

    def look(self, pixels: np.ndarray) -> str:
        """The statistics of one picture [H, W, C], as text."""
        points = points_of(pixels)[..., :3]
        if self.kind == "exr":
            points = shown(np.clip(points.astype(np.float32), 0, 1))
        elif points.dtype != np.uint8:
            points = points >> 8
        return base64.b64encode(looks_of(points.astype(np.uint8)[None]).packed()).decode()

    def encoded(self, pixels: np.ndarray) -> bytes:
        """The file of one picture [H, W, C]."""
        if self.kind == "png":
            return png_bytes(pixels)
        if self.kind == "exr":
            return exr_bytes(pixels, self.fps)
        from PIL import Image

        made, picture = io.BytesIO(), Image.fromarray(pixels)
        if self.kind == "jpg":
            full = 0 if (self.crf or 0) <= 17 else 2  # 4:4:4, or 4:2:0 where small is wanted
            picture.save(made, "JPEG", quality=min(quality(self.crf), 100), subsampling=full, optimize=True)
        elif self.crf == 0:
            picture.save(made, "WebP", lossless=True, quality=50, method=4, exact=True)
        else:
            picture.save(made, "WebP", quality=quality(self.crf), method=4)
        return made.getvalue()


def linear(shown: Tensor) -> Tensor:
    """Display values 0..1 in linear light, by the curve of sRGB (IEC 61966-2-1, 5.2)."""
    import torch

    return torch.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)


def shown(linear_light: np.ndarray) -> np.ndarray:
    """The inverse of :func:`linear`, as 0..255."""
    coded = np.where(linear_light <= 0.0031308, linear_light * 12.92, 1.055 * linear_light ** (1 / 2.4) - 0.055)
    return np.rint(255 * coded)


class PictureFolder:
    """A folder of numbered pictures and its list. Several threads, and processes, may add to it."""

    def __init__(self, folder: Path, fmt: PictureFormat):
        self.folder, self.fmt = folder, fmt
        self._lock = threading.Lock()

    def name(self, frame: int) -> str:
        """The file of a frame, numbered in the whole film."""
        return f"{frame:06d}{self.fmt.suffix}"

    def lacking(self, keys: Mapping[int, str]) -> list[int]:
        """Of frames and their content keys, those that aren't there, or not as they were written."""
        listed = self._listed()
        known = {frame: listed.get(self.name(frame)) for frame in keys}
        there = [frame for frame, row in known.items() if row is not None and row[0] == keys[frame]]
        with ThreadPoolExecutor(READERS) as pool:
            whole = dict(
                zip(there, pool.map(self._whole, there, (listed[self.name(at)][1] for at in there)), strict=True)
            )
        return [frame for frame in keys if not whole.get(frame)]

    def publish(self, frame: int, key: str, data: bytes, look: str = "") -> None:
        """Write one picture, and then its line; ``look`` is what :meth:`PictureFormat.look` says of it."""
        with published(self.folder / self.name(frame)) as part:
            part.write_bytes(data)
        self._append(f"{self.name(frame)}\t{key}\t{hashlib.sha256(data).hexdigest()}\t{look}\n")

    def looks(self, frames: Iterable[int]) -> Looks | None:
        """What pictures look like; None where one has no statistics, as those from before there were any."""
        listed = self._listed()
        told = [listed.get(self.name(frame), ("", "", ""))[2] for frame in frames]
        found = [unpacked(base64.b64decode(look)) for look in told if look]
        whole = [look for look in found if look is not None]
        return together(whole) if len(whole) == len(told) and whole else None

    def stamp(self, frame: int, key: str, title: str, recipe: str) -> None:
        """Write title and recipe into a picture that is there, if it can hold them."""
        path = self.folder / self.name(frame)
        before = path.read_bytes()
        data = b"".join(stamped(before, title, recipe)) if self.fmt.kind == "png" else before
        if data != before:
            self.publish(frame, key, data, self._listed().get(self.name(frame), ("", "", ""))[2])

    def remove_beyond(self, frames: int) -> None:
        """Remove those of our own pictures, and only as we wrote them, that the film has no longer."""
        for name, (_, digest, _) in self._listed().items():
            number, _, suffix = name.partition(".")
            if number.isdigit() and int(number) >= frames and f".{suffix}" == self.fmt.suffix:
                path = self.folder / name
                if _digest(path) == digest:
                    path.unlink(missing_ok=True)

    def claim(self, owner: str) -> None:
        """Write down whose folder it is."""
        if owner_of(self.folder) != owner:
            self._append(f"{OWNER}\t{owner}\n")

    def digest(self, frames: Iterable[int]) -> str:
        """SHA-256 of the pictures' own, in order."""
        listed = self._listed()
        whole = hashlib.sha256()
        for frame in frames:
            whole.update(listed.get(self.name(frame), ("", "", ""))[1].encode())
        return whole.hexdigest()

    def _whole(self, frame: int, digest: str) -> bool:
        return _digest(self.folder / self.name(frame)) == digest

    def _append(self, line: str) -> None:
        listing = self.folder / LISTING
        with self._lock, disk_errors(listing), open(listing, "ab", buffering=0) as file:
            file.write(line.encode())

    def _listed(self) -> dict[str, tuple[str, str, str]]:
        """Of each name the key, the digest and the looks, if it has them."""
        return {row[0]: (row[1], row[2], "".join(row[3:])) for row in _rows(self.folder) if len(row) in (3, 4)}


def owner_of(folder: Path) -> str | None:
    """Whose pictures a folder holds: the recipe's file; nothing if it is empty or isn't there, '?' if nobody knows."""
    owners = [row[1] for row in _rows(folder) if len(row) == 2 and row[0] == OWNER]
    if owners:
        return owners[-1]
    try:
        return "?" if any(folder.iterdir()) else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _rows(folder: Path) -> list[list[str]]:
    """The lines of a folder's list; one that a kill cut off is left out."""
    try:
        text = (folder / LISTING).read_text("utf-8", "replace")
    except OSError:
        return []
    return [line.split("\t") for line in text.split("\n")[:-1]]


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
