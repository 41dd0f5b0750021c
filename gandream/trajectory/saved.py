"""Files of saved latents and trajectories: .npy, .npz, and torch's .pt. Nothing in them is executed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from gandream.base.errors import CheckpointError, did_you_mean, listed

MAX_BYTES = 1 << 30
"""Of a file of saved latents, and of an array in it."""
LARGEST = 1e30
"""Of a saved number; the network computes with float32."""
NOTES = ("fps", "classes", "psi")
"""What a saved trajectory says beside its latents."""
_NPY, _ZIP = b"\x93NUMPY", b"PK"
_TORCH = (".pt", ".pth")


class SavedError(Exception):
    """What is wrong with a file of saved latents, and what to do."""


def one_array(file: Path, name: str | None) -> tuple[np.ndarray, str]:
    """The array that a name means in a file, float64, and the row of it if one is named."""
    arrays = _opened(file)
    if isinstance(arrays, np.ndarray):
        return _numbers(arrays), _row_of(name or "", file)
    key, row = _key([name for name in arrays if name not in NOTES] or list(arrays), name or "")
    return _numbers(arrays[key]), row


def all_arrays(file: Path) -> dict[str, np.ndarray]:
    """All arrays of latents in a file, float64, by name; that of a file without names has none."""
    arrays = _opened(file)
    if isinstance(arrays, np.ndarray):
        return {"": _numbers(arrays)}
    found = {name: _numbers(arrays[name]) for name in arrays if name not in NOTES}
    if not found:
        raise SavedError("this holds no latents")
    return found


def trajectory_in(file: Path, name: str | None) -> tuple[np.ndarray, float | None]:
    """A saved trajectory as it was saved, [F, ...], and its frames per second if the file says them."""
    arrays = _opened(file)
    if isinstance(arrays, np.ndarray):
        if name:
            raise SavedError(f"this file has no names, so there is no '{name[:60]}' in it", "Leave `name` out.")
        return _numbers(arrays, None), None
    fps = arrays["fps"] if "fps" in arrays else None  # noqa: SIM401 (read when it is wanted)
    rate = float(fps) if isinstance(fps, np.ndarray) and fps.shape == () and fps.dtype.kind in "fiu" else None
    if rate is not None and not 0.001 <= rate <= 100000:
        raise SavedError(f"the file says that it has {rate:g} frames per second")
    key, row = _key([key for key in arrays if key not in NOTES] or list(arrays), name or "")
    if row:
        raise SavedError("a trajectory is a whole array, not a row of it", f"Leave the '{row}' out.")
    return _numbers(arrays[key], None), rate


def _numbers(array: Any, dtype: Any = np.float64) -> np.ndarray:
    if not isinstance(array, np.ndarray):  # a member that isn't .npy inside comes as bytes
        raise SavedError("this is no saved array")
    if array.dtype.kind not in "fiu":
        raise SavedError(f"saved latents are numbers, and this is {array.dtype}")
    array = array.astype(dtype or (np.float32 if array.dtype.itemsize <= 4 else np.float64), copy=False)
    if not (np.abs(array) < LARGEST).all():  # nan isn't
        finite = np.isfinite(array).all()
        raise SavedError("too large numbers" if finite else "some of these numbers are not finite")
    return array


class _Archive(dict[str, Any]):
    """The arrays of an .npz, each read when it is wanted."""

    def __init__(self, file: Path):
        self.file = file
        with self._loaded() as loaded:
            super().__init__(dict.fromkeys(loaded.files))

    def _loaded(self) -> Any:
        return np.load(self.file, allow_pickle=False)

    def __getitem__(self, key: str) -> Any:
        with _told(), self._loaded() as loaded:
            member = next(info for info in loaded.zip.infolist() if info.filename in (key, f"{key}.npy"))
            if member.file_size > MAX_BYTES:
                raise SavedError("the array is too large for saved latents")
            array = loaded[key]
            if not isinstance(array, np.ndarray):
                raise SavedError(f"'{key}' is no saved array")
            return array


class _told:  # noqa: N801 (it is used as a function)
    """Whatever goes wrong while a file is read is told as what is wrong with the file."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None or isinstance(error, SavedError) or not isinstance(error, Exception):
            return
        objects = "Object arrays" in str(error)
        why = "it holds Python objects, which are never loaded" if objects else "it is damaged"
        raise SavedError(f"this holds no saved latents: {why}") from error


def _opened(file: Path) -> np.ndarray | dict[str, Any]:
    """A file's only array, or its arrays by name."""
    with _told():
        if file.stat().st_size > MAX_BYTES:
            raise SavedError("the file is too large for saved latents")
        if file.suffix.lower() in _TORCH:
            return _of_torch(file)
        with open(file, "rb") as opened:
            kind = opened.read(6)
        if not kind.startswith((_NPY, _ZIP)):
            raise SavedError("this holds no saved latents: it isn't .npy or .npz inside")
        return np.load(file, allow_pickle=False) if kind.startswith(_NPY) else _Archive(file)
    raise AssertionError("an error is told")


def _of_torch(file: Path) -> np.ndarray | dict[str, Any]:
    """A tensor, or tensors by name (or by number, of a list), read as models are: nothing in the file runs."""
    from gandream.models.checkpoint import read_checkpoint

    try:
        contents = read_checkpoint(file).contents
        if hasattr(contents, "array"):
            return contents.array()
        items = contents if isinstance(contents, dict) else dict(enumerate(contents or ()))
        arrays = {str(name): item.array() for name, item in items.items() if hasattr(item, "array")}
    except CheckpointError as error:
        raise SavedError(f"this holds no saved latents: {error.problem}", error.hint) from None
    except TypeError:
        arrays = {}
    if not arrays:
        raise SavedError("this holds no saved latents", "Save a tensor, or a dict of tensors.")
    return arrays


def _row_of(name: str, file: Path) -> str:
    if name and not re.fullmatch("[0-9]{1,9}", name):
        kind = f"an {file.suffix} file" if file.suffix.lower() == ".npy" else "this file"
        hint = "Say which by its number, as in x.npy#0; names are for .npz files."
        raise SavedError(f"{kind} has no names, so there is no '{name[:60]}' in it", hint)
    return name


def _key(names: list[str], name: str) -> tuple[str, str]:
    """The array that a name means, and the row."""
    before, _, row = name.rpartition("/")
    if name in names:
        return name, ""
    if before in names and re.fullmatch("[0-9]{1,9}", row):
        return before, row
    if len(names) == 1 and re.fullmatch("[0-9]{0,9}", name):
        return names[0], name
    near = did_you_mean(name, names) or f"It holds: {listed(names)}."
    raise SavedError(f"the file has no latent '{name[:60]}'" if name else "say which latent, as in x.npz#name", near)
