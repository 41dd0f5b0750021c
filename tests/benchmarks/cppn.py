"""Pattern networks: ms per frame at 512 x 512, a straightforward transcription against ours, side by side.

    OMP_WAIT_POLICY=PASSIVE python tests/benchmarks/cppn.py [--rounds 9] [--size 512]

The transcription takes every pixel as a row of a [H W, C] matrix through the whole network, layer by layer, float32,
as one would write it from the papers. Rounds are interleaved, so that both meet the same noise; medians are shown.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from torch import Tensor

from gandream.models import cppn
from gandream.models.cppn import field, palette
from gandream.models.cppn.network import CPPN
from gandream.models.cppn.weights import GAUSS, SINE, TANH, UNITS


def naive(net: CPPN, w: Tensor, size: int) -> Tensor:
    """One frame w [L, D] -> [3, H, W]."""
    parts = net.field
    delta = w - net.w_avg[0]
    style = net.style_base + torch.stack([A @ d for A, d in zip(net.style, delta, strict=True)])
    distance = (delta**2).mean(dim=1)
    energy = torch.sqrt(0.6 + 0.8 * distance / (1 + distance))

    def inputs(count: int) -> Tensor:
        axis = (torch.arange(count) + 0.5) * (2 / count) - 1
        y, x = (t.reshape(-1) for t in torch.meshgrid(axis, axis, indexing="ij"))
        side = parts.place[2, 0] * x + parts.place[2, 1] * y
        distances = [torch.sqrt(x**2 + y**2 + field.ROUNDING), torch.sqrt(side**2 + field.ROUNDING)]
        return torch.stack([*distances, x, y, side], dim=1)

    def normalised(a: Tensor, probe: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = probe.mean(dim=0), torch.sqrt(probe.var(dim=0, unbiased=False) + field.EPSILON**2)
        return (a - mean) / deviation, (probe - mean) / deviation

    def act(a: Tensor) -> Tensor:
        sine, tanh, bump = a.split([SINE, TANH, GAUSS], dim=1)
        return torch.cat([torch.sin(sine), torch.tanh(tanh), torch.exp(-(bump**2))], dim=1)

    h, probe = inputs(size), inputs(field.PROBE)
    contrast, level = palette.levels(style[-2])
    norm = torch.sqrt((torch.tensor(list(field.TAPS.values())) ** 2).sum(dim=0))
    fields = level.expand(size * size, -1)
    for index, gain in enumerate(field.GAINS):
        weights = parts.first if index == 0 else parts.hidden[index - 1]
        h, probe = normalised(h @ weights.T, probe @ weights.T)
        scale = gain * energy[index] * torch.exp(field.SCALE * torch.tanh(0.45 * style[index, :UNITS]))
        shift = field.SHIFTS[index] * style[index, UNITS:]
        h, probe = act(scale * h + shift), act(scale * probe + shift)
        if index in field.TAPS:
            share = torch.tensor(field.TAPS[index]) / norm
            read, _ = normalised(h @ parts.readout[index].T, probe @ parts.readout[index].T)
            fields = fields + contrast * share * read
    glow, rim = torch.sigmoid(fields[:, 3:4]), torch.sigmoid(fields[:, 3:4] - fields[:, 4:5] ** 2)
    shares = torch.softmax(fields[:, :3], dim=1)
    lights = torch.cat([shares * glow, glow**2, rim, torch.ones_like(glow)], dim=1)
    light = lights @ palette.colours(style[-1], parts.hue).T
    return (2 * torch.sqrt(1 - torch.exp(-light)) - 1).T.reshape(3, size, size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    size, batch = options.size, 4
    net = cppn.load("7")
    w = net.map(net.latents(range(batch))).w

    def theirs() -> Tensor:
        with torch.inference_mode():
            return torch.stack([naive(net, w[n], size) for n in range(1)])

    ways = {
        "naive": (theirs, 1),
        "ours, 1 frame a call": (lambda: net.synthesise(w[:1], size=(size, size)), 1),
        "ours, 4 frames a call": (lambda: net.synthesise(w, size=(size, size)), batch),
    }
    error = (ways["naive"][0]() - ways["ours, 1 frame a call"][0]()) / 2
    print(f"{size} x {size}, PSNR of naive and ours: {-10 * torch.log10(error.square().mean()):.1f} dB")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, (way, frames) in ways.items():
                start = time.perf_counter()
                way()
                times[name].append((time.perf_counter() - start) / frames * 1000)
        base = statistics.median(times["naive"])
        for name, spent in times.items():
            ratios = [a / b for a, b in zip(times["naive"], spent, strict=True)]
            middle = statistics.median(spent)
            print(
                f"threads {threads}  {name:22} {middle:7.1f} ms/frame (best {min(spent):6.1f})"
                f"  {1000 / middle:5.1f} frames/s  x{base / middle:.2f} (per round x{statistics.median(ratios):.2f})"
            )


if __name__ == "__main__":
    main()
