"""Films on an Apple GPU, or what stands for one here: the same pictures, without a number that it doesn't have.

Where it can't do it, the CPU makes the whole film, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from apple_gpu import OnApple, apple_gpu
from test_pixels import TABLE as WORDS
from test_pixels import Studio, _drifting, studio  # noqa: F401

from gandream.models.cppn.network import CPPN
from gandream.recipe.load import load_recipe
from gandream.recipe.recipe import Recipe
from gandream.rendering.apple import CantError
from gandream.rendering.projector import Projector
from gandream.run.device import on_device
from gandream.run.film import render
from gandream.run.prepare import prepare
from gandream.run.preview import preview
from gandream.run.still import still
from gandream.video.colour import display_bytes, planes

FILM = "model: cppn#7\nwalk: {through: [1, 2], every: 1}\nvideo: {size: 64, fps: 8, duration: 3}\n"
QUICK = (
    "model: conditional.safetensors\nclasses: {through: [0, 1, 2], every: 1s}",
    "model: noisy.safetensors\nnoise: animate\ntruncation: {psi: 0.5, toward: {nearest: [1, 2, 3]}}",
    "model: drifting.safetensors\ncamera: {zoom: 1.2}",
    "walk: {through: [1, 2, 3]}\nsmooth: 0.5s\neffects: [grain, trails, glow]",
)
"""Recipes of what had float64 on the device before; the slow test has every word."""


def words() -> Iterator[Any]:
    for rows in WORDS:
        for word in rows.each if rows.shows == "pictures" else ():
            if word not in rows.refuses:
                form = rows.form.replace("\n", " ")
                yield pytest.param(rows.texts(word)[1], id=f"{rows.kind}.{word} in {form}", marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory, stylegan2_file: Callable[..., Path]) -> Studio:
    """A studio without music."""
    folder = tmp_path_factory.mktemp("quiet")
    for name, options in (("conditional", {"classes": 3}), ("noisy", {})):
        (folder / f"{name}.safetensors").write_bytes(stylegan2_file(**options).read_bytes())
    _drifting(folder)
    made = Studio(folder)
    (folder / "base.yaml").write_text("model: cppn#7\nvideo: {size: 32x24, fps: 8, duration: 2}\n")
    return made


@pytest.mark.parametrize("text", QUICK)
def test_the_pictures_are_those_of_the_cpu(quiet: Studio, text: str):
    apart = np.abs(on_apple(quiet, text).astype(int) - quiet.shown(text, "pictures")[0])
    assert apart.mean() < 0.1, "they round as they like, and no more"


@pytest.mark.parametrize("text", list(words()))
def test_so_are_those_of_every_word(studio: Studio, text: str):  # noqa: F811
    apart = np.abs(on_apple(studio, text).astype(int) - studio.shown(text, "pictures")[0])
    assert apart.mean() < 0.1


def on_apple(folder: Studio, text: str) -> np.ndarray:
    """The pictures of a recipe, uint8 [F, H, W, 3]."""
    prepared = prepare(folder._recipe(text), folder.folder / "cache")
    reel, made = prepared.reel("mps"), []
    with apple_gpu():
        projector = Projector(reel, prepared.load("mps"))
        for one in reel.segments:
            for images in projector.pictures(one.start, one.stop):
                assert isinstance(images, OnApple)
                planes(images, "444")
                made.append(display_bytes(images).cpu().numpy())
    return np.concatenate(made)


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A machine with the stand-in, and a recipe on it."""
    monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / "store"))
    monkeypatch.setattr("gandream.rendering.device.no_mps", lambda: "")
    monkeypatch.setattr("gandream.rendering.device.cuda_devices", lambda: 0)
    (tmp_path / "r.yaml").write_text(FILM)
    return load_recipe(tmp_path / "r.yaml")


@pytest.mark.parametrize(
    ("words", "out"),
    [
        ("codec: h264", "film.mp4"),
        ("file: mov, codec: prores", "film.mov"),
        ("file: png, depth: 16", "pngs"),
        ("file: exr", "exrs"),
    ],
)
def test_a_film_goes_from_there_to_the_encoder(mac: Recipe, tmp_path: Path, words: str, out: str):
    (tmp_path / "kind.yaml").write_text(f"include: r.yaml\nvideo: {{duration: 1, {words}}}\n")
    recipe, notes = load_recipe(tmp_path / "kind.yaml"), list[str]()
    with apple_gpu():
        film = render(recipe, tmp_path / out, device="mps", note=notes.append)
    assert film.rendered == 8
    assert not notes
    assert '"device": "mps"' in film.manifest.read_text("utf-8")


def test_what_it_lacks_is_made_by_the_cpu_from_the_first_frame(mac: Recipe, tmp_path: Path):
    notes: list[str] = []
    with apple_gpu("tanh"):
        film = render(mac, tmp_path / "film.mp4", note=notes.append)
    assert film.rendered == 24
    assert '"device": "cpu"' in film.manifest.read_text("utf-8")
    assert len(notes) == 1
    assert "aten::tanh" in notes[0]
    assert notes[0].endswith("the CPU makes all of it")
    with apple_gpu("tanh"):
        again = render(mac, tmp_path / "film.mp4", note=notes.append)
        still(mac, "1s", tmp_path / "still.png", note=notes.append)
    assert again.rendered == 0, "it isn't tried again"
    assert set(notes[1:]) == {"the CPU makes this, as the GPU of this Mac couldn't; --device mps tries it again"}
    on_cpu = render(mac, tmp_path / "cpu.mp4", device="cpu")
    assert on_cpu.path.read_bytes() == film.path.read_bytes()
    with apple_gpu():  # a torch that can do it
        render(mac, tmp_path / "mps.mp4", device="mps", note=notes.append)
        made = preview(mac, out=tmp_path / "preview.mp4", note=notes.append)
    assert '"device": "mps"' in made.film.manifest.read_text("utf-8"), "once it could, auto takes it again"


def test_who_asks_for_it_is_told_why_it_cant(mac: Recipe, tmp_path: Path):
    with apple_gpu("tanh"), pytest.raises(CantError, match=r"can't do it \(The operator 'aten::tanh'") as told:
        render(mac, tmp_path / "film.mp4", device="mps")
    assert "--device cpu" in told.value.hint
    assert not list(tmp_path.glob("*.mp4"))


@pytest.mark.parametrize("words", ["MPS backend out of memory (MPS allocated: 8 GB)", "Invalid buffer size: 20 GB"])
def test_its_memory_halves_batches(mac: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str):
    asked, own = [], CPPN.synthesise

    def synthesise(self, inputs, **given):
        asked.append(len(inputs.w))
        if len(inputs.w) > 4:
            raise RuntimeError(words)
        return own(self, inputs, **given)

    monkeypatch.setattr(CPPN, "synthesise", synthesise)
    notes: list[str] = []
    with apple_gpu():
        film = render(mac, tmp_path / "film.mp4", note=notes.append)
    assert film.rendered == 24
    assert asked[:3] == [16, 8, 4]
    assert "goes on with 4" in notes[-1]
    assert '"device": "mps"' in film.manifest.read_text("utf-8")


def test_other_mistakes_stay_what_they_are(monkeypatch: pytest.MonkeyPatch):
    def make(kind: str) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("gandream.run.device.pick", lambda word: "mps")
    with pytest.raises(RuntimeError, match="mat1"):
        on_device("auto", make, pytest.fail)


def test_the_stand_in_is_strict():
    there = torch.device("mps")
    with apple_gpu():
        ones = torch.ones(3, device=there)
        for wrong in (
            lambda: ones.double(),
            lambda: ones.to("cpu", torch.float64),
            lambda: torch.zeros(3, dtype=torch.float64).to(there),
            lambda: torch.as_tensor(np.zeros(3), device=there),
            lambda: torch.eye(3, dtype=torch.float64, device=there),
        ):
            with pytest.raises(TypeError, match="MPS"):
                wrong()
        with pytest.raises(RuntimeError, match="same device"):
            torch.add(ones, torch.ones(3))
        with pytest.raises(RuntimeError, match="numpy"):
            ones.numpy()
        assert torch.as_tensor(np.ones(3), dtype=torch.float32, device=there).device == there
