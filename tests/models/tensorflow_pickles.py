"""Pickles as the TensorFlow code bases wrote them, for tests: their classes, and networks of random numbers."""

from __future__ import annotations

import pickle
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from gandream.models.files import save_native
from gandream.models.registry import load_generator

SOURCE = "import os\nos.system('touch executed')\nraise SystemExit\n"
"""What stands for the code in such files."""


@cache
def kind_of(module: str) -> type:
    """The class of networks of one code base."""
    return type("Network", (), {"__module__": module})


class Networks:
    """Makes networks of one code base: ``dnnlib.tflib.network``, ``tfutil``, or ``network`` (Theano)."""

    def __init__(self, module: str = "dnnlib.tflib.network"):
        self.module = module
        self.kind = kind_of(module)

    def __call__(self, name, function, variables, components=None, source=SOURCE, **arguments):
        """One network; those of 2017 have no components."""
        state = {"version": 4, "name": name, "static_kwargs": arguments}
        state |= {"components": components} if components is not None else {}
        state |= {"build_module_src": source, "build_func_name": function, "variables": list(variables.items())}
        return self.of(state)

    def of(self, state):
        made = self.kind()
        made.__dict__.update(state)
        return made

    def save(self, contents, path: Path, protocol: int = 4) -> Path:
        names = self.module.split(".")
        parts = [".".join(names[: n + 1]) for n in range(len(names))]
        before = {part: sys.modules.get(part) for part in parts}
        try:
            for part in parts:
                sys.modules[part] = ModuleType(part)
            sys.modules[self.module].Network = self.kind
            path.write_bytes(pickle.dumps(contents, protocol))
        finally:
            for part, module in before.items():
                sys.modules.pop(part)
                if module is not None:
                    sys.modules[part] = module
        return path


def stylegan2_variables(tensors: dict[str, np.ndarray]) -> tuple[dict, dict, dict]:
    """Variables of the whole, of its synthesis and its mapping, of tensors by the names of NVIDIA's torch files."""
    whole = {"lod": np.float32(0)}
    synthesis, mapping = {}, {}
    for name, array in tensors.items():
        part, *rest = name.split(".")
        if name == "mapping.w_avg":
            whole["dlatent_avg"] = array
        elif part == "mapping":
            layer = rest[0].replace("fc", "Dense").replace("embed", "LabelEmbed")
            mapping[f"{layer}/{rest[1]}"] = array.T.copy()
        elif "resample_filter" not in name:
            block = int(rest[0][1:])
            at, side = int(np.log2(block)), f"{block}x{block}"
            if rest[1] == "const":
                synthesis[f"{side}/Const/const"] = array[None]
                continue
            layer = {"conv0": "Conv0_up", "conv1": "Conv1" if at > 2 else "Conv", "torgb": "ToRGB", "skip": "Skip"}
            kind = ".".join(rest[2:])
            if kind == "noise_const":
                synthesis[f"noise{2 * at - 4 - (rest[1] == 'conv0')}"] = array[None, None]
                continue
            if kind == "weight":
                array = np.moveaxis(array, (0, 1), (3, 2))
                if rest[1] in ("conv0", "skip"):
                    array = array[::-1, ::-1]
            elif kind == "affine.weight":
                array = array.T
            elif kind == "affine.bias":
                array = array - 1
            words = {"affine.weight": "mod_weight", "affine.bias": "mod_bias"}
            synthesis[f"{side}/{layer[rest[1]]}/{words.get(kind, kind)}"] = np.array(array, np.float32)
    return whole, synthesis, mapping


def stylegan2(tensors: dict[str, np.ndarray], name="Gs", **arguments):
    """A StyleGAN2 of these tensors, as a network of TensorFlow's."""
    network = Networks()
    whole, synthesis, mapping = stylegan2_variables(tensors)
    components = {
        "synthesis": network("G_synthesis", "G_synthesis_stylegan2", synthesis, {}, **arguments),
        "mapping": network("G_mapping", "G_mapping", mapping, {}, **arguments),
    }
    return network(name, "G_main", whole, components, **arguments)


def stds(ours: torch.Tensor, wanted: np.ndarray | torch.Tensor) -> float:
    """The largest difference, in standard deviations of what is wanted."""
    wanted = torch.as_tensor(wanted)
    assert list(ours.shape) == list(wanted.shape)
    return float((ours - wanted).abs().max() / wanted.std())


def there_and_back(generator, folder: Path):
    """The same pictures after a conversion to gandream's own format."""
    save_native(generator, folder / "native.safetensors")
    again = load_generator(str(folder / "native.safetensors"), device="cpu")
    z = generator.latents([1, 2])
    classes = torch.tensor([0, 1]) if generator.spec.classes else None
    inputs = generator.map(z, classes, 0.7)
    assert torch.equal(again.map(z, classes, 0.7).w, inputs.w)
    assert torch.equal(again.synthesise(inputs), generator.synthesise(inputs))
    assert (again.spec.classes, again.spec.size) == (generator.spec.classes, generator.spec.size)
