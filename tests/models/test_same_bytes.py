"""Pictures depend on what a generator is given, and on nothing else: not on its form, on threads, on what came before.

The rule is that of batches: the same pictures together are the same bytes. Another size of batch may round otherwise.
"""

from __future__ import annotations

import gc
import json
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stylegan1_reference
import stylegan2_reference
import stylegan3_reference
import torch
from biggan_reference import Kind, random_state
from test_progan import layers as progan_layers
from test_stylegan1 import tensorflow_file
from test_stylegan3 import native_file

from gandream.models import reduced
from gandream.models.bending import Bend
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.masks import Mask
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.regions import LatentRegion
from gandream.models.registry import load_generator
from gandream.models.spec import CONSTANT, Generator, Inputs

Load = Callable[[], Generator]
HALF = torch.bfloat16


def stylegan1(folder: Path) -> Path:
    return tensorflow_file(folder / "m.pkl", stylegan1_reference.random_tensors(channels=(20, 16, 8, 6)))


def stylegan2(folder: Path, change: Callable[[dict[str, np.ndarray]], None] = lambda _: None) -> Path:
    tensors = stylegan2_reference.random_tensors(channels=(24, 16, 8, 8))
    change(tensors)
    native = {"gandream": 1, "family": "stylegan2", "configuration": {"attributes": {}}}
    write_safetensors(folder / "m.safetensors", tensors, {"gandream": json.dumps(native)})
    return folder / "m.safetensors"


def stylegan3(folder: Path) -> Path:
    return native_file(folder / "m.safetensors", *stylegan3_reference.random_network())


def biggan(folder: Path) -> Path:
    torch.save(random_state(Kind()), folder / "G_ema.pth")
    return folder / "G_ema.pth"


def progan(folder: Path) -> Path:
    torch.save({"state_dict": progan_layers()}, folder / "m.pth")
    return folder / "m.pth"


KINDS = {
    "stylegan1": (stylegan1, None),
    "stylegan1 halves": (stylegan1, HALF),
    "stylegan2": (stylegan2, None),
    "stylegan2 halves": (stylegan2, HALF),
    "stylegan3": (stylegan3, None),
    "stylegan3 halves": (stylegan3, HALF),
    "biggan": (biggan, None),
    "biggan halves": (biggan, HALF),
    "progan": (progan, None),
}


LIKE_OTHERS = ("stylegan1 halves", "stylegan2", "stylegan3", "biggan", "biggan halves", "biggan_deep")
"""Whose convolutions others have too: each family but one is there once, in halves where it has code for them."""


@pytest.fixture(
    params=[
        pytest.param(kind, marks=pytest.mark.slow if kind in LIKE_OTHERS else ())
        for kind in (*KINDS, "biggan_deep", "biggan_deep halves")
    ]
)
def load(request: pytest.FixtureRequest, tmp_path: Path) -> Load:
    """Loads a model anew."""
    if request.param.startswith("biggan_deep"):
        file, dtype = request.getfixturevalue("biggan_deep_file"), HALF if "halves" in request.param else None
    else:
        make, dtype = KINDS[request.param]
        file = make(tmp_path)
    return lambda: load_generator(str(file), "cpu", dtype)


def inputs_of(generator: Generator, count: int, psi: float = 0.7) -> Inputs:
    classes = torch.arange(count) % len(generator.spec.classes) if generator.spec.classes else None
    found = generator.map(generator.latents(range(count)), classes, psi)
    return replace(found, w=found.w.contiguous())


def forms(w: torch.Tensor) -> Iterator[torch.Tensor]:
    """The same numbers, arranged otherwise in memory."""
    yield w.transpose(0, 2).contiguous().transpose(0, 2)
    yield torch.stack((w, w + 1), dim=3)[..., 0]
    yield torch.cat((w.new_zeros(3), w.flatten()))[3:].view(w.shape)
    yield w.double()
    yield w.clone().requires_grad_()


def ways(generator: Generator, count: int) -> Iterator[dict[str, Any]]:
    """All that can be asked for: each layer shown and bent, noise, sizes, a transform."""
    spec, on = generator.spec, np.arange(count) % 2 == 0
    shown = len(spec.shown)
    for layer in {*range(0, shown, max(1, shown // 3)), shown - 1, *([CONSTANT] if spec.constant else [])}:
        yield {"bend": [Bend("multiply", frozenset({layer}), {"multiply": np.full(count, 0.5)}, np.ones(count), on)]}
        if layer != CONSTANT:
            yield {"layer": layer}
    rows = np.ones(len(spec.layers), bool)
    for mode, phases in (("fixed", np.zeros(count)), ("animate", np.arange(count) / 3)) if spec.noise else ():
        setting = Setting(mode, rows, np.full(count, 0.5), phases)
        yield {"noise": LayerNoise(NoiseMaps(generator.device), [setting])}
        yield {"noise": "off"}
    if spec.size and spec.extends:
        height, width = spec.size
        yield from ({"size": size} for size in ((height, 2 * width), (height + 1, width - 3), (height, width)))
    if spec.transform:
        yield from ({"transform": torch.eye(3) * torch.tensor([scale, scale, 1])} for scale in (1.0, 0.5))


def test_any_number_of_pictures_after_any_other(load: Load):
    running = load()
    for count in (1, 3, 0, 2, 1, 3):
        inputs = inputs_of(running, count)
        made = running.synthesise(inputs)
        assert made.dtype == torch.float32
        assert made.is_contiguous()
        assert made.shape[0] == count
        assert torch.equal(made, load().synthesise(inputs))


def test_the_form_of_w_makes_no_difference(load: Load):
    generator = load()
    for count in (1, 3):
        inputs = inputs_of(generator, count)
        wanted = generator.synthesise(inputs)
        for w in forms(inputs.w):
            made = generator.synthesise(replace(inputs, w=w))
            assert torch.equal(made, wanted)
            assert not made.requires_grad


def test_nothing_that_was_asked_for_stays(load: Load):
    running = load()
    inputs = inputs_of(running, 3)
    still = replace(inputs, w=inputs.w[:1].expand(3, -1, -1))
    plain = running.synthesise(inputs), running.synthesise(still)
    for way in ways(running, 3):
        made = running.synthesise(still, **way), running.synthesise(inputs, **way)
        assert all(one.dtype == torch.float32 for one in made)
        fresh = load()  # and asked in the other order
        assert torch.equal(made[1], fresh.synthesise(inputs, **way))
        assert torch.equal(made[0], fresh.synthesise(still, **way))
    if running.spec.regional:
        region = LatentRegion(inputs.w.flip(0), Mask("left"), torch.full((3,), 0.5))
        made = running.synthesise(replace(inputs, regions=(region,)))
        assert made.dtype == torch.float32
        assert not torch.equal(made, plain[0])
    assert torch.equal(running.synthesise(inputs), plain[0])
    assert torch.equal(running.synthesise(still), plain[1])


def test_what_was_given_may_be_written_into(load: Load):
    generator = load()
    inputs = inputs_of(generator, 2)
    moves: dict[str, Any] = {"transform": torch.eye(3, dtype=torch.float64)} if generator.spec.transform else {}
    made = generator.synthesise(inputs, **moves)
    for _ in range(2):  # what stays the same is kept from the second time on
        assert torch.equal(generator.synthesise(inputs, **moves), made)
    for given in (inputs.w, *moves.values()):
        given[..., 0, 0] += 0.25
        other = generator.synthesise(inputs, **moves)
        assert not torch.equal(other, made)
        assert torch.equal(other, load().synthesise(inputs, **moves))
        made = other.clone()
        other.fill_(9)


def test_renders_and_others_take_turns(load: Load):
    generator = load()
    inputs = inputs_of(generator, 3)
    still = replace(inputs, w=inputs.w[:1].expand(3, -1, -1))
    with torch.inference_mode():
        made = [generator.synthesise(still) for _ in range(2)]
    assert torch.equal(generator.synthesise(still), made[0])
    assert torch.equal(generator.synthesise(inputs), load().synthesise(inputs))
    assert torch.equal(made[0], made[1])


@pytest.mark.parametrize("shared", [False, True])
def test_threads(load: Load, shared: bool):
    first = load()
    inputs = inputs_of(first, 3)
    half = inputs.w.shape[1] // 2
    mixed = torch.cat((inputs.w[:1, :half].expand(3, -1, -1), inputs.w[:, half:]), dim=1)
    asked = [replace(inputs, w=w) for w in (inputs.w, mixed, inputs.w[:1].expand(3, -1, -1))]
    asked += [Inputs(one.w[:1], None if one.psi is None else one.psi[:1]) for one in asked[:1]]
    wanted = [load().synthesise(one) for one in asked]
    right: list[bool] = []

    def work(generator: Generator, start: int) -> None:
        for number in range(start, start + 8):
            at = number * number % len(asked)
            right.append(torch.equal(generator.synthesise(asked[at]), wanted[at]))

    threads = [
        threading.Thread(target=work, args=(one, n)) for n, one in enumerate((first, first if shared else load()))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert right == [True] * 16


@contextmanager
def no_collection() -> Iterator[None]:
    """Nothing that only a search for cycles would find is freed."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_model_that_is_let_go_frees_its_memory(load: Load):
    """At once: searches for cycles are started by the number of objects, and weights are few and large."""
    generator = load()
    inputs = inputs_of(generator, 2)
    still = replace(inputs, w=inputs.w[:1].expand(2, -1, -1))
    for _ in range(2):
        generator.synthesise(still)
        if generator.spec.extends and generator.spec.size:
            generator.synthesise(still, size=(generator.spec.size[0], 2 * generator.spec.size[1]))
    parts = [weakref.ref(part) for part in (generator, getattr(generator, "synthesis", generator))]
    with no_collection():
        del generator
        assert [part() for part in parts] == [None, None]


def test_where_torch_does_not_show_onednn(load: Load, monkeypatch: pytest.MonkeyPatch):
    inputs = inputs_of(load(), 2)
    wanted = load().synthesise(inputs)
    monkeypatch.setattr(reduced, "_shown", lambda dtype: False)
    made = load().synthesise(inputs)
    assert (made - wanted).std() < 0.01 * wanted.std()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("scale", [0.0, 1e-25])
def test_layers_of_nothing(tmp_path: Path, dtype: torch.dtype, scale: float):
    def change(tensors: dict[str, np.ndarray]) -> None:
        for name in ("b16.conv1.weight", "b32.conv0.weight", "b32.conv1.affine.weight", "b32.conv1.affine.bias"):
            tensors[f"synthesis.{name}"] = tensors[f"synthesis.{name}"] * np.float32(scale)

    source = str(stylegan2(tmp_path, change))
    exact, half = load_generator(source, "cpu"), load_generator(source, "cpu", dtype)
    for count in (1, 2):
        w = inputs_of(exact, count).w
        wanted = exact.synthesise(w)
        assert (half.synthesise(w) - wanted).std() < 0.02 * wanted.std()
