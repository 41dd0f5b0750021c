"""Everything that is to be known of a GPU, in ten minutes:

    GANDREAM_NEEDS_GPU=1 pytest tests/test_cuda.py
    python tests/benchmarks/on_gpu.py [NAME ...] [--batch 32] [--rounds 5] [--film] > gpu.md
    gandream bench recipes/music_viz.yaml --device cuda

For each network of random weights, in turns: the published order of operations in float32 (the direct transcriptions of
the benchmarks beside this one; the published CUDA kernels have to be installed and timed for themselves), ours in
float32 and in float16, launched by Python and replayed as a CUDA graph. Milliseconds a picture are medians of rounds
between events on the device. The floors are what its arithmetic takes at the rate of a large matrix product here, and
what reading the weights once a batch and writing and reading each layer once takes at the rate of a large copy here.
``--film`` renders a film of each with all there is around it, and holds the whole against the slower of painting and
encoding. ``--device cpu --small`` tries the script where there is no GPU.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import biggan
import numpy as np
import stylegan2
import stylegan3
import torch
from side_by_side import psnr
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from gandream.models.biggan.network import BigGAN
from gandream.models.biggan_deep.network import BigGANDeep
from gandream.models.families import Identity
from gandream.models.files import save_native
from gandream.models.spec import Generator, Inputs
from gandream.rendering.graphs import Replayed

IDENTITY = Identity("random", "")
Make = Callable[[torch.device, "torch.dtype | None"], Any]
Plain = Callable[[torch.device, Inputs], Callable[[], Tensor]]


def style2(size: int, base: int, most: int = 512) -> tuple[Make, Plain]:
    """StyleGAN2: ours, and the transcription."""
    arrays = stylegan2.random_tensors(size, base, most)
    network = biggan.network_of(arrays)
    spec = stylegan2.describe_network(network, IDENTITY)

    def make(device: torch.device, dtype: torch.dtype | None) -> Any:
        return stylegan2.StyleGAN2(spec, stylegan2.plan(network), arrays, {}, device, dtype)

    def plain(device: torch.device, inputs: Inputs) -> Callable[[], Tensor]:
        tensors = on(arrays, device)
        return lambda: stylegan2.transcription(tensors, inputs.w)

    return make, plain


def style3(size: int, base: int, most: int, radial: bool) -> tuple[Make, Plain]:
    """StyleGAN3."""
    found = stylegan3.random_tensors(size, base, most, radial)
    arrays = {name: one.astype(np.float32) for name, one in found.items()}
    network = stylegan3.network(arrays)
    spec, plan = stylegan3.describe_network(network, IDENTITY), stylegan3.plan(network)

    def make(device: torch.device, dtype: torch.dtype | None) -> Any:
        return stylegan3.StyleGAN3(spec, plan, arrays, {}, device, dtype)

    def plain(device: torch.device, inputs: Inputs) -> Callable[[], Tensor]:
        tensors = on(arrays, device)
        return lambda: stylegan3.transcription(tensors, plan.synthesis, inputs.w)

    return make, plain


def big(size: int, width: int, deep: bool) -> tuple[Make, Plain]:
    """BigGAN and BigGAN-deep."""
    arrays = biggan.deep_tensors(size, width) if deep else biggan.plain_tensors(size, width)
    network = biggan.network_of(arrays)

    def make(device: torch.device, dtype: torch.dtype | None) -> Any:
        if deep:
            spec = biggan.biggan_deep.describe_network(network, IDENTITY)
            return BigGANDeep(spec, biggan.plan_of_deep(network), arrays, device, dtype)
        return BigGAN(biggan.biggan.describe_network(network, IDENTITY), biggan.plan_of(network), arrays, device, dtype)

    def plain(device: torch.device, inputs: Inputs) -> Callable[[], Tensor]:
        theirs, count = biggan.Transcription(arrays), len(inputs.w)
        theirs.t = on(arrays, device)
        z = torch.as_tensor(make_latents(arrays, deep, count), dtype=torch.float32, device=device)
        y = torch.arange(count, device=device) * 7 % 1000
        return lambda: theirs.deep(z, y) if deep else theirs.plain(z, y)

    return make, plain


def make_latents(arrays: dict[str, np.ndarray], deep: bool, count: int) -> np.ndarray:
    """z of the seeds from 0 on, as the generators give it."""
    network = biggan.network_of(arrays)
    module = biggan.biggan_deep if deep else biggan.biggan
    return module.describe_network(network, IDENTITY).latents(range(count))


def on(arrays: dict[str, np.ndarray], device: torch.device) -> dict[str, Tensor]:
    return {name: torch.as_tensor(np.float32(array), device=device) for name, array in arrays.items()}


NETWORKS: dict[str, Callable[[], tuple[Make, Plain]]] = {
    "stylegan2-256": lambda: style2(256, 16384),
    "stylegan2-1024": lambda: style2(1024, 32768),
    "stylegan3-t-256": lambda: style3(256, 16384, 512, False),
    "stylegan3-r-256": lambda: style3(256, 32768, 1024, True),
    "biggan-128": lambda: big(128, 96, False),
    "biggan-deep-128": lambda: big(128, 128, True),
    "biggan-deep-256": lambda: big(256, 128, True),
}
SMALL: dict[str, Callable[[], tuple[Make, Plain]]] = {
    "stylegan2": lambda: style2(32, 512, 64),
    "stylegan3-t": lambda: style3(32, 512, 32, False),
    "stylegan3-r": lambda: style3(32, 512, 32, True),
    "biggan": lambda: big(32, 16, False),
    "biggan-deep": lambda: big(32, 16, True),
}


def fed(generator: Generator, count: int) -> Inputs:
    """Inputs of as many pictures, whose classes are those of the transcriptions."""
    classes = torch.arange(count, device=generator.device) * 7 % 1000 if generator.spec.classes else None
    return generator.map(generator.latents(range(count)), classes)


def small(family: str, device: torch.device, dtype: torch.dtype | None = None, count: int = 3) -> tuple[Any, Inputs]:
    """A small network and inputs of some pictures; what tests/test_cuda.py looks at."""
    generator = SMALL[family]()[0](device, dtype)
    return generator, fed(generator, count)


def clock(device: torch.device, way: Callable[[], Any], rounds: int) -> float:
    """Seconds of a call, the median, on the device's own clock; one before them doesn't count."""
    way()
    found = []
    for _ in range(rounds):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            way()
            end.record()
            end.synchronize()
            found.append(start.elapsed_time(end) / 1000)
        else:
            began = time.perf_counter()
            way()
            found.append(time.perf_counter() - began)
    return statistics.median(found)


def roofs(device: torch.device, side: int) -> dict[str, float]:
    """Operations a second of a large product in each type, and bytes a second of a large copy (read and written)."""
    found = {}
    for name, dtype in (("float32", torch.float32), ("float16", torch.float16)):
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        found[name] = 2 * side**3 / clock(device, lambda a=a, b=b: torch.mm(a, b), 5)
    here = torch.empty(side * side * 4, device=device)
    there = torch.empty_like(here)
    found["bytes"] = 2 * here.numel() * 4 / clock(device, lambda: there.copy_(here), 5)
    return found


def floors(generator: Any, operations: float, batch: int, roof: dict[str, float], halves: bool) -> tuple[float, float]:
    """Milliseconds a picture at least: of arithmetic, of memory."""
    width = 2 if halves else 4
    layers = sum(one.channels * one.resolution**2 for one in generator.spec.shown)
    weights = sum(np.asarray(one).size for one in generator.tensors.values())
    moved = width * (2 * layers + weights / batch)
    return 1000 * operations / roof["float16" if halves else "float32"], 1000 * moved / roof["bytes"]


def table(name: str, device: torch.device, batch: int, rounds: int, small: bool, roof: dict[str, float]) -> None:
    """One network."""
    make, plain = (SMALL if small else NETWORKS)[name]()
    print(f"\n### {name}, batch {batch}\n")
    print("| | ms/picture | pictures/s | ratio | PSNR, dB | peak MB | floor: arithmetic, ms | memory, ms |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    exact = make(device, None)
    inputs = fed(exact, batch)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        wanted = exact.synthesise(inputs)
    operations = counter.get_total_flops() / batch
    first = 0.0

    def row(label: str, way: Callable[[], Tensor], halves: bool) -> None:
        nonlocal first
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            with torch.no_grad(), device:
                made, seconds = way(), clock(device, way, rounds) / batch
        except torch.OutOfMemoryError:
            print(f"| {label} | out of memory |", flush=True)
            return
        peak = torch.cuda.max_memory_allocated() / (1 << 20) if device.type == "cuda" else 0
        first = first or seconds
        arithmetic, memory = floors(exact, operations, batch, roof, halves)
        print(
            f"| {label} | {1000 * seconds:.3f} | {1 / seconds:.0f} | {first / seconds:.2f} | {psnr(made, wanted):.1f} "
            f"| {peak:.0f} | {arithmetic:.3f} | {memory:.3f} |",
            flush=True,
        )

    row("published order, float32", plain(device, inputs), False)
    for label, dtype in (("float32", None), ("float16", torch.float16)):
        generator = exact if dtype is None else make(device, dtype)
        moving = inputs_that_move(inputs)
        row(f"ours, {label}", lambda g=generator, m=moving: g.synthesise(m()), dtype is not None)
        if device.type == "cuda":
            again = Replayed(generator)
            again.synthesise(inputs)
            row(f"ours, {label}, replayed", lambda g=again, m=moving: g.synthesise(m()), dtype is not None)
            if again.failure or not again.replays:
                print(f"\nnot replayed: {again.failure}\n")


def inputs_that_move(inputs: Inputs) -> Callable[[], Inputs]:
    """As in a film, of which nothing can be kept from call to call."""
    calls = iter(range(1 << 30))
    return lambda: replace(inputs, w=inputs.w * (1 + 1e-6 * (next(calls) % 2)))


def film(name: str, device: str, small: bool) -> None:
    """A whole render, against the slower of what it is made of."""
    from gandream.recipe.load import load_recipe
    from gandream.run.bench import bench

    make, _ = (SMALL if small else NETWORKS)[name]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.safetensors")
        save_native(make(torch.device("cpu"), None), path, name=name)
        seeds = "[{seed: 1, class: 1}, {seed: 2, class: 2}]" if "biggan" in name else "[1, 2, 3]"
        words = f"model: net.safetensors\nwalk: {{through: {seeds}, every: 1}}\nvideo: {{fps: 30, duration: 12}}\n"
        recipe = Path(folder, "r.yaml")
        recipe.write_text(words)
        found = bench(load_recipe(recipe), device="cuda" if device == "cuda" else "cpu")
    stages = ", ".join(f"{stage.name} {stage.rate:.0f}" for stage in found.stages)
    print(f"\n{name}, frames/s: {stages}; the whole {found.whole.rate:.0f}, {found.ratio:.3f} of {found.bound.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NETWORKS))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--film", action="store_true", help="whole renders too")
    parser.add_argument("--small", action="store_true", help="tiny networks")
    asked = parser.parse_args()
    device = torch.device(asked.device)
    roof = roofs(device, 512 if asked.small else 8192)
    what = torch.cuda.get_device_name() if device.type == "cuda" else "the CPU"
    print(f"{what}, torch {torch.__version__}: ", end="")
    print(", ".join(f"{roof[name] / 1e12:.1f} TFLOP/s in {name}" for name in ("float32", "float16")), end="")
    print(f", {roof['bytes'] / 1e9:.0f} GB/s")
    for name in asked.names or (SMALL if asked.small else NETWORKS):
        table(name, device, asked.batch, asked.rounds, asked.small, roof)
        if asked.film:
            film(name, asked.device, asked.small)


if __name__ == "__main__":
    main()
