"""``gandream train``."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandream.cli.options import AsJson, Device, device_word, echo_json, warn
from gandream.cli.voice import note, say, voice, watched

if TYPE_CHECKING:
    from gandream.training.estimate import Estimate


def command(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A folder of pictures, or procedural:dreams.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FILE", help="The model, a .safetensors file.", show_default=False),
    ],
    family: Annotated[
        str, typer.Option("--family", metavar="WORD", help="stylegan2, biggan_deep, progan or dcgan.")
    ] = "stylegan2",
    resolution: Annotated[
        int, typer.Option("--resolution", metavar="PIXELS", help="Side of the pictures: 64, 128 ... 1024.")
    ] = 64,
    config: Annotated[
        str, typer.Option("--config", metavar="auto|small", help="Size of the networks; auto goes by the device.")
    ] = "auto",
    images: Annotated[
        str, typer.Option("--images", metavar="COUNT", help="How long: pictures shown, such as 200k or 5M.")
    ] = "200k",
    resume: Annotated[
        bool, typer.Option("--resume", metavar="", help="Go on where this training was stopped.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Say what would be trained, how large, how long; and stop.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="NUMBER", help="Of weights, data and noise.", min=0)] = 0,
    augmentation: Annotated[
        str,
        typer.Option(
            "--augment",
            metavar="WORD",
            help="none, ada or diffaugment. [default: ada below 50k pictures]",
            show_default=False,
        ),
    ] = "",
    precision: Annotated[str, typer.Option("--precision", metavar="WORD", help="auto, bfloat16 or float32.")] = "auto",
    weights: Annotated[
        str, typer.Option("--weights", metavar="WORD", help="Numbers in the model's file: float32 or float16.")
    ] = "float32",
    every: Annotated[
        str, typer.Option("--every", metavar="COUNT", help="Pictures from one checkpoint and sheet to the next.")
    ] = "20k",
    samples: Annotated[
        int,
        typer.Option(
            "--samples", metavar="COUNT", help="Pictures that the quality is measured on at each checkpoint.", min=0
        ),
    ] = 2048,
    licence: Annotated[
        str, typer.Option("--licence", metavar="TEXT", help="Licence of the model, kept in its file.")
    ] = "",
    flip: Annotated[bool, typer.Option("--flip", metavar="", help="Mirror half of the pictures, at random.")] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", metavar="", help="Write losses for TensorBoard too (an extra).")
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", metavar="", help="Let torch compile the discriminator (wants a C++ compiler).")
    ] = False,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Train a model on a folder of pictures, or on the endless stream procedural:dreams.

    Classes are sub-folders of DATA, or a labels.json or labels.csv in it. State, sheets of samples and a log
    go to outputs/training/<name of the model>; a training that was stopped goes on with --resume.

    Examples:
      gandream train photos/ --out flowers.safetensors --resolution 128 --images 1M

      gandream train procedural:dreams --out dream.safetensors --images 600k --resume

      gandream train photos/ --out flowers.safetensors --dry-run
    """
    kind = device_word(device)
    from gandream.cli.progress import counted
    from gandream.run.training import Wanted, prepare, run, with_tensorboard

    wanted = Wanted(
        data, out, family, resolution, config, _count(images, "--images"), seed, augmentation, precision,
        weights, _count(every, "--every"), licence, samples, compiled, flip, kind,
    )  # fmt: skip
    with counted("reading pictures:") as reading:
        prepared = prepare(wanted, reading)
    if dry_run:
        from gandream.training.estimate import estimate, lines

        found = estimate(prepared.job.settings, prepared.data, prepared.device)
        if as_json:
            echo_json(_plain(found))
        else:
            typer.echo("\n".join(lines(found)))
        return
    if resume and not prepared.job.state.is_file():
        note("there is no training of this name yet; it begins")
    warn(prepared.notes)
    with _asked_to_stop() as asked, _shown() as progress:
        if tensorboard:
            progress = with_tensorboard(prepared.job.folder, progress)
        images_seen = run(prepared, resume=resume, progress=progress, stop=lambda: bool(asked))
    if asked:
        say(f"Stopped after {images_seen} images; the same command with --resume goes on from there.")
        raise typer.Exit(130)
    if as_json:
        echo_json({"model": str(out), "images": images_seen, "folder": str(prepared.job.folder)})
    else:
        typer.echo(str(out))


def _plain(found: Estimate) -> dict[str, Any]:
    """What a training would be, for programs."""
    from dataclasses import asdict

    settings = found.settings
    return {
        "family": settings.family,
        "resolution": settings.resolution,
        "classes": list(settings.classes),
        "data": found.data,
        "pictures": found.pictures,
        "device": found.device,
        "precision": settings.precision,
        "parameters": {"generator": found.generator, "discriminator": found.discriminator},
        "stages": [asdict(one) for one in found.stages],
        "seconds": round(found.seconds, 1),
        "memory_bytes": {"needed": round(found.memory), "there": round(found.there) if isfinite(found.there) else None},
        "fits": found.fits,
    }


def _count(written: str, option: str) -> int:
    """200k, 5M, 1000 -> a whole number."""
    match = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)\s*([kKmM]?)", written.strip())
    number = round(float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()]) if match else 0
    if number < 1:
        raise typer.BadParameter(f"'{written}' is no count of images; wanted 200k, 1.5M or 1000", param_hint=option)
    return number


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Let the first Ctrl-C or SIGTERM end the training after its step, with its state kept; a second one at once."""
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, frame: Any) -> None:
        if asked:
            print("\nStopped at once.", file=sys.stderr)
            signal.signal(number, before[signal.Signals(number)])
            signal.raise_signal(number)
        asked.append(number)
        print("\nStopping after this step. Once more stops at once, without keeping this state.", file=sys.stderr)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown() -> Iterator[Any]:
    """A line that moves on a terminal; elsewhere a line every half minute."""
    import time

    from gandream.base.clock import duration

    terminal, told = watched(), 0.0

    def progress(report: Any) -> None:
        nonlocal told
        if voice().quiet:
            return
        now = time.monotonic()
        done = report.images >= report.until
        if not terminal and now - told < 30 and not done:
            return
        told = now
        losses = " ".join(f"{name} {value:.3f}" for name, value in report.losses.items())
        fading = "" if report.alpha >= 1 else f" fading in {report.alpha:.0%}"
        swd = "" if report.swd is None else f" swd {report.swd:.2f}"
        where = f"{report.images / 1000:.1f}k of {report.until / 1000:g}k  {report.resolution}x{report.resolution}"
        pace = f"{report.rate:.0f} images/s  {duration(report.left)} left"
        line = f"{where}{fading}  {pace}  {losses}{swd}"
        print(f"\r\x1b[K{line}" if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)

    try:
        yield progress
    finally:
        if terminal:
            print(file=sys.stderr)
