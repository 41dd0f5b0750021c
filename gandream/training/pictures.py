"""One picture file of whatever kind, brought to a square of 8-bit sRGB.

The middle square is cut out and brought to size by Lanczos' filter. What is transparent lies on white, as a logo or a
drawing does on a page. Colours go by the embedded ICC profile where there is one, and 16-bit and float pictures by
their range, not clipped. Nothing in a file is executed: formats whose reader calls other programs (EPS, WMF) aren't
opened.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

MOST_PIXELS = 178_956_970
"""Larger ones are decompression bombs, or would take gigabytes: Pillow's own limit."""

FORMATS = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".mpo",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "BMP": (".bmp",),
    "DIB": (".dib",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "TGA": (".tga",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "PCX": (".pcx",),
    "SGI": (".sgi", ".rgb"),
    "PSD": (".psd",),
    "QOI": (".qoi",),
}
"""Formats by Pillow's name, and what their files end in; the content decides, not the ending."""
SUFFIXES = frozenset(suffix for suffixes in FORMATS.values() for suffix in suffixes)
FOREIGN = frozenset((".heic", ".heif", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".svg"))
"""Endings of pictures that people have and that can't be read here."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_WIDE = ("I", "F")  # and all that begin with I;16


class UnreadableError(Exception):
    """This file can't be learned from; says why, without its name."""


def read_picture(path: Path, resolution: int) -> tuple[np.ndarray, bool]:
    """Picture uint8 [3, R, R] of a file, and whether it had to be enlarged.

    Raises:
        UnreadableError: the file is damaged, too large, or no picture that can be read here.
    """
    try:
        with path.open("rb") as file, Image.open(file, formats=_readable()) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise Image.DecompressionBombError
            if min(width, height) < 1:
                raise UnreadableError("the picture has no pixels")
            enlarged = min(width, height) < resolution
            return np.ascontiguousarray(np.asarray(_square(image, resolution)).transpose(2, 0, 1)), enlarged
    except UnreadableError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableError(f"more than {MOST_PIXELS // 1_000_000} million pixels") from None
    except UnidentifiedImageError:
        raise UnreadableError(_unknown(path)) from None
    except OSError as error:
        raise UnreadableError(error.strerror or str(error) or "the file can't be read") from error
    except Exception as error:  # what damaged files lead to in a dozen readers can't be listed
        raise UnreadableError(f"the file is damaged: {str(error) or type(error).__name__}") from error


def _readable() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def _unknown(path: Path) -> str:
    if path.stat().st_size == 0:
        return "the file is empty"
    return f"{path.suffix} is not read here" if path.suffix.lower() in FOREIGN else "not a picture, or damaged"


def _square(image: Image.Image, resolution: int) -> Image.Image:
    """The middle square of an opened picture, upright, RGB, R x R pixels."""
    turn = _turn(image)
    profile = image.info.get("icc_profile")
    least = min(image.size)
    if (
        least >= 4 * resolution
    ):  # a JPEG is decoded at a half, a quarter or an eighth where that is still twice the size
        scale = least // (2 * resolution)
        image.draft(image.mode, (image.width // scale, image.height // scale))
    image = _plain(image)
    width, height = image.size
    left, top, least = (width - min(image.size)) / 2, (height - min(image.size)) / 2, min(image.size)
    box = (left, top, left + least, top + least)
    image = image.resize((resolution, resolution), Image.Resampling.LANCZOS, box=box)
    # On the small square, where colours and turns cost nothing.
    image = _on_white(image, profile)
    return image if turn is None else image.transpose(turn)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What puts the picture upright, by its EXIF data; damaged data count as none."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _plain(image: Image.Image) -> Image.Image:
    """The picture in one of the modes L, RGB, CMYK, LA, RGBA; wide grey ones become F with 255 as white."""
    if image.mode in _WIDE or image.mode.startswith("I;16"):
        return Image.fromarray(_to_bytes(np.asarray(image), image.format))
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("RGBa", "La"):
        return image.convert(image.mode.upper())
    return image if image.mode in ("L", "RGB", "CMYK", "LA", "RGBA") else image.convert("RGB")


def _to_bytes(values: np.ndarray, kind: str | None) -> np.ndarray:
    """Wide grey values [H, W] as float32 with 255 as white: by the format's range, else by what holds them all."""
    peak = float(np.nanmax(values, initial=0, where=np.isfinite(values)))
    if values.dtype.itemsize == 2 or (kind in ("PNG", "PPM") and values.dtype.kind in "iu"):
        full = 65535.0
    else:
        ranges = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0, 2.0**31 - 1)
        full = next((limit for limit in ranges if peak <= limit), peak)
    scaled = np.nan_to_num(values.astype(np.float32), nan=0, posinf=full, neginf=0) * np.float32(255 / full)
    return np.clip(scaled, 0, 255)


def _on_white(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB of a picture in one of the plain modes: its colours by the profile, what shows through as white."""
    if image.mode == "F":
        return Image.fromarray(np.clip(np.rint(np.asarray(image)), 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("LA", "RGBA"):
        alpha = image.getchannel("A")
        colours = _by_profile(image.convert(image.mode[:-1]), profile)
        white = Image.new("RGB", image.size, "white")
        white.paste(colours, mask=alpha)
        return white
    return _by_profile(image, profile)


def _by_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB of L, RGB or CMYK; a profile that is damaged or made for other colours counts as none."""
    if profile:
        try:
            source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() == _SPACES[image.mode]:
                target = ImageCms.createProfile("sRGB")
                flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
                shown = ImageCms.profileToProfile(image, source, target, outputMode="RGB", flags=flags)
                image = shown or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return image.convert("RGB")
