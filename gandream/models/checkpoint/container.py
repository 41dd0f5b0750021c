"""What kind of file it is, by its first bytes and never by its name."""

from __future__ import annotations

import mmap
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from struct import error as struct_error
from typing import Any

from gandream.base.errors import CheckpointError
from gandream.models.checkpoint.archives import Archive
from gandream.models.checkpoint.networks import Network, find_networks
from gandream.models.checkpoint.numpy_files import is_npz, read_npz, saved_latents
from gandream.models.checkpoint.records import DamagedError, ForeignError, RefusedError
from gandream.models.checkpoint.safe_tensors import looks_like_safetensors, read_safetensors
from gandream.models.checkpoint.torch_files import read_pickle, read_zip

CONTRADICTS = "Its tensors contradict each other: take the file as it was published."
HEAD = 512
"""Bytes that tell the kind."""
LATENTS = "Saved latents belong to `walk`, not to `model`."
NOT_MODELS = (
    (rb"version https://git-lfs", "a git-lfs pointer, not the file it points to", "Run: git lfs pull"),
    (rb"(?is)(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|body|script)",
     "a web page, not a model", "The download gave a page instead of the file: open the address in a browser."),
    (rb"(?s)\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP", "a picture, not a model", ""),
    (rb"(?s)ID3|OggS|fLaC|RIFF.{4}(WAVE|AVI )|.{4}ftyp|\x1aE\xdf\xa3", "sound or video, not a model", ""),
    (rb"\x93NUMPY", "a NumPy array, not a model", LATENTS),
    (rb"(?s)\x1f\x8b|7z\xbc|Rar!|\xfd7zXZ|BZh|\x28\xb5\x2f\xfd|.{257}ustar", "a packed archive", "Unpack it first."),
    (rb"\x89HDF", "an HDF5 file (Keras?), which no family here uses", ""),
    (rb"(?s)\x08[\x01-\x0f](\x12|\x1a|\x22|\x3a)", "an ONNX model, which is a program",
     "Take the weights that it was made of."),
    (rb"(?s)\n.{1,4}\n?.{0,3}(Placeholder|Const|latents_in)", "a TensorFlow graph, which is a program",
     "Take the pickle that it was made of."),
    (rb'(?s)\{.{0,400}"(weight_map|total_size)"', "an index of a model that lies in several files",
     "Models here are one file."),
    (rb'(?s)\{.{0,400}"(architectures|model_type|_class_name|class_embed_dim)"', "a configuration without its weights",
     "Take the pytorch_model.bin or model.safetensors that lies beside it."),
    (rb'model_checkpoint_path: "', "TensorFlow's note of where its checkpoints are", "Take a pickle (.pkl) instead."),
    (rb"GGUF|ggml", "a language model's file", ""),
    (rb"%PDF", "a PDF document, not a model", ""),
    (rb"\x7fELF|MZ", "a program, not a model", ""),
)  # fmt: skip
"""Beginnings of files that are no models: pattern, what it is, what to do."""
BROKEN = (
    *(DamagedError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, RuntimeError),
    *(struct_error, zipfile.BadZipFile, zlib.error, MemoryError, OSError),
)
"""What reading damaged bytes may end in, the zip and JSON modules included."""


@dataclass(frozen=True)
class Checkpoint:
    """A file's contents, as far as they can be known without running anything; numbers are read when wanted."""

    path: Path
    container: str
    size: int
    """Bytes."""
    networks: tuple[Network, ...]
    metadata: dict[str, str]
    """Words of a safetensors header."""
    contents: Any = None
    """Everything else that a pickle held: plain values and records."""

    @property
    def limit(self) -> int:
        """Bytes that its numbers may become as they are read: tensors may share storages."""
        return 16 * self.size + (64 << 20)

    def broken(self, error: BaseException, family: str = "") -> CheckpointError:
        """The error to raise when the file turns out to be damaged or hostile while it is read, as ``family``."""
        found = _broken(self.path, error)
        if family and isinstance(error, DamagedError):
            return CheckpointError(found.where, found.problem, f"It was taken for {family}. {CONTRADICTS}")
        return found

    def arrays(self, network: Network, names: list[str]) -> dict[str, Any]:
        """Read some tensors of a network as NumPy arrays, or say how the file is damaged."""
        try:
            return network.arrays(names, self.limit)
        except (RefusedError, *BROKEN) as error:
            raise self.broken(error) from error


def read_checkpoint(path: Path | str) -> Checkpoint:
    """Read a model's file: safetensors, NVIDIA's pickles, torch.save's archives and streams. Nothing in it runs."""
    path = Path(path)
    try:
        return _read(path)
    except (RefusedError, *BROKEN) as error:
        raise _broken(path, error) from error


def _read(path: Path) -> Checkpoint:
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise DamagedError("it is no regular file")
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise CheckpointError(str(path), "this file is empty", "Was the download interrupted?")
        # Mapped, not read: what nobody asks for is never touched. The views in the networks keep the mapping alive.
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    head = bytes(data[:HEAD])
    if looks_like_safetensors(head, size):
        # Asked first: the length that these files begin with may look like the beginning of any other kind.
        tensors, metadata = read_safetensors(data)
        return Checkpoint(path, "safetensors", size, find_networks(tensors), metadata)
    if head[:2] == b"PK":
        kind, contents = _archive(path, data)
    elif head[:1] == b"\x80" and 2 <= head[1:2][0] <= 5 if len(head) > 1 else False:
        kind, contents = read_pickle(data)
    else:
        kind, contents = _text_pickle(path, data, head)
    return Checkpoint(path, kind, size, find_networks(contents), {}, contents)


def _archive(path: Path, data: memoryview) -> tuple[str, Any]:
    archive = Archive(path, data)
    if not is_npz(archive.sizes):
        return read_zip(archive)
    arrays = read_npz(archive)
    if latents := saved_latents(arrays):
        raise CheckpointError(str(path), f"this is an archive of saved latents ({latents}), not a model", LATENTS)
    return "NumPy archive", arrays


def _text_pickle(path: Path, data: memoryview, head: bytes) -> tuple[str, Any]:
    """A pickle of protocol 0 or 1, which begins like any text; else say what the file is."""
    for pattern, what, hint in NOT_MODELS:
        if re.match(pattern, head):
            raise CheckpointError(str(path), f"this is {what}", hint)
    try:
        return read_pickle(data)
    except BROKEN:
        words = head.split(b"\n")[0].decode("utf-8", "replace").strip()
        is_text = not re.search(rb"[\x00-\x08\x0e-\x1f\x7f-\xff]", head)
        if not is_text and path.suffix == ".safetensors":
            raise _broken(path, DamagedError("it is truncated or damaged")) from None
        what = f"text ({words[:60]!r}), not a model" if is_text else "no kind of file that is known here"
        raise CheckpointError(
            str(path), f"this is {what}", "Models are .safetensors, .pkl, .pt, .pth, .tar or .bin files."
        ) from None


def _broken(path: Path, error: BaseException) -> CheckpointError:
    if isinstance(error, RefusedError):
        return CheckpointError(
            str(path),
            f"refused: it wants {_short(error)}, and no known family does",
            "Nothing in the file was run. Don't open it with other tools; cppn#7 is a model that needs no file.",
        )
    if isinstance(error, ForeignError):
        return CheckpointError(str(path), f"this is {_short(error)}", error.hint)
    if isinstance(error, FileNotFoundError):
        return CheckpointError(str(path), "no such file")
    if isinstance(error, IsADirectoryError):
        return CheckpointError(str(path), "this is a folder, and a model is a file", "Name the file in it.")
    if isinstance(error, OSError) and error.errno is not None:
        return CheckpointError(str(path), f"can't be read: {error.strerror}", "May you read it?")
    said = _short(error) if isinstance(error, DamagedError) else f"{type(error).__name__} while reading it"
    said = "it is truncated or damaged" if isinstance(error, zipfile.BadZipFile) else said
    return CheckpointError(str(path), f"not a readable model: {said}", "Was the download interrupted?")


def _short(error: BaseException) -> str:
    """One line of what an error says: names in a file may be of any length."""
    said = " ".join(str(error).split())
    return said if len(said) <= 200 else f"{said[:200]}..."
