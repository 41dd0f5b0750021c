"""Small valid files of every container, and pickles that name what isn't here, for tests."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from stylegan2_reference import random_tensors

from gandream.models.checkpoint.safe_tensors import write_safetensors


class Calls:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class Made:
    """Pickles as an instance of a class with a state."""

    def __init__(self, kind, state, arguments=()):
        self.kind, self.state, self.arguments = kind, state, arguments


class Given:
    """Pickles as a value that gets a state."""

    def __init__(self, value, state):
        self.value, self.state = value, state


class Named:
    """Stands for a function by its module and name, even where it can't be imported."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Writes ``Named`` as the global that it names."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_named(self, named):
        if self.proto >= 4:
            self.save(named.module)
            self.save(named.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{named.module}\n{named.name}\n".encode())

    def reducer_override(self, value):
        return NotImplemented

    dispatch[Named] = save_named

    def save_calls(self, calls):
        self.save(calls.function)
        self.save(tuple(calls.arguments))
        self.write(pickle.REDUCE)

    dispatch[Calls] = save_calls

    def save_made(self, made):
        self.save(made.kind)
        self.save(tuple(made.arguments))
        self.write(pickle.NEWOBJ if self.proto >= 2 else pickle.REDUCE)
        self.save(made.state)
        self.write(pickle.BUILD)

    dispatch[Made] = save_made

    def save_given(self, given):
        self.save(given.value)
        self.save(given.state)
        self.write(pickle.BUILD)

    dispatch[Given] = save_given


def pickled(value, protocol=4) -> bytes:
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()


def small_stylegan2() -> dict[str, np.ndarray]:
    """Tensors of a StyleGAN2 of 8 x 8 pixels."""
    return random_tensors(z=8, w=8, layers=1, channels=(4, 4))


def persistent(class_name: str, state: dict[str, Any], source: str = "raise SystemExit('this was run')\n") -> Calls:
    """A module as NVIDIA's torch code pickles it."""
    meta = {"type": "class", "version": 6, "module_src": source, "class_name": class_name, "state": state}
    return Calls(Named("torch_utils.persistence", "_reconstruct_persistent_obj"), meta)


def nvidia_module(tensors: dict[str, torch.Tensor], class_name: str = "Generator", **attributes) -> Calls:
    """Tensors by dotted name as nested modules of NVIDIA's."""
    own = {name: tensor for name, tensor in tensors.items() if "." not in name}
    children: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        head, dot, rest = name.partition(".")
        if dot:
            children.setdefault(head, {})[rest] = tensor
    modules = {name: nvidia_module(part, name.capitalize()) for name, part in children.items()}
    state = {"training": False, "_parameters": {}, "_buffers": own, "_modules": modules}
    return persistent(class_name, state | attributes)


def containers(folder: Path) -> dict[str, bytes]:
    """One small network of a family in each container, each of some 10 kB."""
    from tensorflow_pickles import Networks, stylegan2

    arrays = small_stylegan2()
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    torch.save({"g_ema": tensors}, folder / "zip")
    torch.save({"g_ema": tensors}, folder / "stream", _use_new_zipfile_serialization=False)
    write_safetensors(folder / "safetensors", arrays, {"note": "hello"})
    np.savez(folder / "npz.npz", **arrays)
    np.savez_compressed(folder / "npz_packed.npz", **arrays)
    (folder / "arrays").write_bytes(pickle.dumps(arrays, protocol=4))
    (folder / "arrays0").write_bytes(pickle.dumps(arrays, protocol=0))
    (folder / "nvidia").write_bytes(pickled({"G": None, "D": None, "G_ema": nvidia_module(tensors)}, 3))
    made = [stylegan2(arrays, name) for name in ("G", "D", "Gs")]
    Networks().save(tuple(made), folder / "tensorflow")
    return {file.stem: file.read_bytes() for file in folder.iterdir() if file.is_file()}
