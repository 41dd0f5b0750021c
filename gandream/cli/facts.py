"""What ``gandream models info`` says of a model: as plain values for programs, and in lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gandream.base.errors import listed


def facts_of(model: str, device: str | None) -> dict[str, Any]:
    """Everything that is known of a model, as plain values; with a ``device``, its pictures are timed there."""
    from gandream.models.registry import describe, facts

    here = Path.cwd()
    file = facts(model, here)
    spec = file.spec if file else describe(model, here)
    found: dict[str, Any] = {
        "name": spec.name,
        "family": spec.family,
        "configuration": spec.configuration,
        "height": spec.size and spec.size[0],
        "width": spec.size and spec.size[1],
        "channels": spec.channels,
        "z": spec.latent_size,
        "w": spec.w_size or spec.latent_size,
        "layers": [{"name": layer.name, "resolution": layer.resolution or None} for layer in spec.layers],
        "classes": list(spec.classes),
        "licence": spec.licence,
        "fingerprint": spec.fingerprint,
        "warnings": list(spec.warnings),
    }
    if file:
        found |= {
            "layout": file.layout,
            "container": file.container,
            "bytes": file.size,
            "sha256": file.sha256,
            "parameters": file.parameters,
            "precision": file.precision,
            "training": file.training,
        }
    if device is not None:
        found["time"] = _time(model, device)
    return found


def _time(model: str, device: str) -> dict[str, Any]:
    """Of pictures as a render of ``precision: auto`` makes them."""
    from gandream.cli.options import device_word
    from gandream.cli.voice import note
    from gandream.models.convert import ANY_SIZE
    from gandream.models.precision import chosen, dtype_of
    from gandream.models.registry import describe, load_generator
    from gandream.models.timing import timed
    from gandream.rendering.device import Kind
    from gandream.rendering.plan import batch_of
    from gandream.run.device import on_device

    spec = describe(model, Path.cwd())
    height, width = spec.size or ANY_SIZE

    def made(kind: Kind):
        precision = chosen("auto", kind, reducible=spec.reducible)
        generator = load_generator(model, kind, dtype_of(precision), base=Path.cwd())
        return precision, timed(generator, batch_of(kind, height * width))

    precision, found = on_device(device_word(device), made, note)
    return {
        "precision": precision,
        "batch": found.batch,
        "seconds_per_picture": found.seconds,
        "pictures_per_second": 1 / found.seconds,
        "device": found.device,
        "threads": found.threads,
    }


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    size = f"{found['width']}x{found['height']}" if found["height"] else "any size"
    yield f"{found['name']}: {found['family']}, {size}, {found['channels']} channels"
    if found["configuration"]:
        yield f"  {found['configuration']}"
    if "bytes" in found:
        layout = f", in {found['layout']}'s layout" if found["layout"] else ""
        yield f"  {found['container']} of {found['bytes'] / 1e6:.1f} MB{layout}"
        yield f"  {found['parameters']:,} parameters, in {' and '.join(found['precision'])}"
    yield f"  z [{found['z']}], w [{len(found['layers'])}, {found['w']}]"
    for index, layer in enumerate(found["layers"]):
        at = f"  {layer['resolution']}x{layer['resolution']}" if layer["resolution"] else ""
        yield f"  layer {index:>2}  {layer['name']}{at}"
    if found["classes"]:
        shown = listed((f"{index} {name}" for index, name in enumerate(found["classes"])), 10)
        yield f"  {len(found['classes'])} classes: {shown}"
    for line in _training(found.get("training") or {}):
        yield f"  {line}"
    yield f"  fingerprint {found['fingerprint']}"
    if "sha256" in found:
        yield f"  SHA-256 {found['sha256']}"
    yield f"  licence: {found['licence'] or 'not stated in the file'}"
    if "time" in found:
        time = found["time"]
        where = "on the CPU" if time["device"] == "cpu" else f"on {time['device']}"
        threads = f", {time['threads']} thread{'s' if time['threads'] != 1 else ''}" if time["device"] == "cpu" else ""
        seconds = time["seconds_per_picture"]
        of = "" if found["height"] else " of 256x256"
        how = f"{where}{threads}, in {time['precision']}, {time['batch']} at a time"
        yield f"  {seconds * 1e3:.1f} ms a picture{of}, {time['pictures_per_second']:.1f} pictures/s {how}"


def _training(training: Mapping[str, Any]) -> Iterator[str]:
    """How it was trained, in a line."""
    data, images, seed = training.get("data"), training.get("images"), training.get("seed")
    source = data.get("data") if isinstance(data, dict) else data
    said = [f"trained on {source}" if isinstance(source, str) and source else "trained"] if training else []
    said += [f"{images:,} pictures shown"] if isinstance(images, int) else []
    said += [f"seed {seed}"] if isinstance(seed, int) else []
    if said:
        yield ", ".join(said)
