"""Size, likeness and time of every codec at its defaults: ``python tests/benchmarks/codecs.py [CODEC:CRF ...]``.

Two clips of 60 frames, rendered once: `music` is smooth and dark (recipes/music_viz.yaml, 512x512), `grain` is sharp
and noisy (a kaleidoscope with film grain, 640x360). PSNR is that of luma against the float pictures before any
rounding, as codes of 8 bits, so 58.9 dB is what 8 bits can hold. ``h265:20`` measures that codec at that rate factor;
``h265:20:10`` with 10 bits; a fourth part is a preset.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import numpy as np
import torch

from gandream.base import ffmpeg
from gandream.recipe.codecs import CODECS
from gandream.recipe.load import load_recipe
from gandream.rendering.projector import Projector
from gandream.run.prepare import prepare
from gandream.video import colour
from gandream.video.colour import Subsampling, planes
from gandream.video.encode import SegmentWriter
from gandream.video.format import VideoFormat

FRAMES = 60
GRAIN = """
model: cppn#63
walk: {through: [2, 9, 1], every: 1}
effects: [{kaleidoscope: 6}, {grain: 0.05}]
video: {size: 640x360, fps: 30, duration: 2}
"""


def clips(folder: Path) -> dict[str, torch.Tensor]:
    """The pictures of both clips, float [F, 3, H, W]; kept in the folder."""
    written = folder / "grain.yaml"
    written.write_text(GRAIN)
    recipes = Path(__file__).parents[2] / "recipes"
    made = {}
    for name, recipe in (("music", load_recipe(recipes / "music_viz.yaml")), ("grain", load_recipe(written))):
        kept = folder / f"{name}.npy"
        if not kept.exists():
            prepared = prepare(recipe, folder)
            pictures = Projector(prepared.reel("cpu"), prepared.load("cpu")).pictures(0, FRAMES)
            np.save(kept, torch.cat([*pictures]).numpy()[:FRAMES])
        made[name] = torch.from_numpy(np.load(kept)).float().clamp(-1, 1)
    return made


def luma(pictures: torch.Tensor) -> np.ndarray:
    """Y' of BT.709 as codes of 8 bits, not rounded: float [F, H, W]."""
    weights = torch.tensor([colour.RED, colour.GREEN, colour.BLUE]).view(1, 3, 1, 1)
    return ((pictures * weights).sum(1) * 219 / 2 + 219 / 2 + 16).numpy()


def decoded(path: Path, fmt: VideoFormat) -> np.ndarray:
    """Y' of a segment as codes of 8 bits: float [F, H, W]."""
    raw = ffmpeg.run(*ffmpeg.QUIET, "-i", ffmpeg.file_url(path), "-fps_mode", "passthrough", "-f", "rawvideo",
                     "-pix_fmt", "gray16le" if fmt.depth > 8 else "gray", "-sws_flags", "accurate_rnd",
                     "-vf", "extractplanes=y", "-")  # fmt: skip
    values = np.frombuffer(raw, "<u2" if fmt.depth > 8 else np.uint8).reshape(-1, fmt.height, fmt.width)
    return values / 256.0 if fmt.depth > 8 else values.astype(float)


def likeness(path: Path, raw: Path, fmt: VideoFormat) -> str:
    """SSIM of all planes, by ffmpeg."""
    source = ["-f", "rawvideo", "-pix_fmt", fmt.pix_fmt, "-s", f"{fmt.width}x{fmt.height}", "-r", str(fmt.fps)]
    graph = f"[0:v]format={fmt.pix_fmt},settb=AVTB,setpts=N/30/TB[a];[1:v]settb=AVTB,setpts=N/30/TB[b];[a][b]ssim"
    arguments = ["-hide_banner", "-nostdin", "-i", path, *source, "-i", raw, "-lavfi", graph, "-f", "null", "-"]
    process = ffmpeg.spawn(arguments)
    return process.communicate()[1].decode().split("SSIM")[-1].split("All:")[-1].split(" ")[0]


def asked(arguments: list[str]) -> Iterator[tuple[str, float, int, str]]:
    """Codec, rate factor, bits, preset."""
    every = [f"{name}:{(row.crf or (0,))[0]}:{depth}" for name, row in CODECS.items() for depth in row.depths]
    for words in arguments or every:
        name, crf, depth, preset = [*words.split(":"), "", "", ""][:4]
        row = CODECS[name]
        yield name, float(crf or (row.crf or (0,))[0]), int(depth or row.depths[0]), preset or "veryfast"


def main() -> None:
    """Print a table."""
    torch.set_num_threads(1)
    folder = Path(tempfile.gettempdir(), "gandream-codecs")
    folder.mkdir(exist_ok=True)
    made = clips(folder)
    print(ffmpeg.build())
    print(
        "| codec | crf | bits | preset | " + " | ".join(f"{clip}: bytes | PSNR dB | SSIM | ms" for clip in made) + " |"
    )
    print("|---|---:|---:|---|" + "---:|" * 8)
    for codec, crf, depth, preset in asked(sys.argv[1:]):
        cells = []
        for pictures in made.values():
            height, width = pictures.shape[2:]
            usual = cast(Subsampling, CODECS[codec].subsamplings[0])
            fmt = VideoFormat(width, height, Fraction(30), codec, crf, preset, usual, depth=depth)
            codes = planes(pictures, fmt.subsampling, depth)
            raw = folder / "raw"
            raw.write_bytes(codes.numpy().tobytes())
            began, target = time.perf_counter(), folder / f"made{fmt.segment}"
            with SegmentWriter(fmt) as writer:
                writer.begin(folder, len(pictures), lambda part, target=target: part.replace(target))
                writer.write(codes)
            took = (time.perf_counter() - began) / len(pictures)
            error = np.mean((decoded(target, fmt) - luma(pictures)) ** 2)
            size = target.stat().st_size / len(pictures)
            psnr = 10 * np.log10(255**2 / error)
            cells.append(f"{size:,.0f} | {psnr:.2f} | {likeness(target, raw, fmt)} | {1000 * took:.1f}")
        print(f"| {codec} | {crf:g} | {depth} | {preset} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
