"""Every word changes pixels (or the signals, or the file), and two equal recipes don't."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rows_of_latents
import rows_of_music
import rows_of_pictures
from rows import Rows

import gandream.recipe
from gandream.base import ffmpeg
from gandream.base.errors import GandreamError
from gandream.recipe.fields import Word
from gandream.recipe.load import load_recipe
from gandream.rendering.projector import Projector
from gandream.run.film import render
from gandream.run.prepare import prepare
from gandream.video.colour import display_bytes

MODELS = Path(__file__).parents[1] / "models"
BASE = """\
model: cppn#7
audio: tune.wav
signals: {hit: {from: onset, release: 0.3}, notes: chroma}
video: {size: 32x24, fps: 8, duration: 3}
"""
TABLE = [*rows_of_latents.TABLE, *rows_of_pictures.TABLE, *rows_of_music.TABLE]

ABSTRACT = {"Looks", "Opening", "Own", "Operation", "Mixing", "Preset"}
"""Groups that only stand for what others have in common, whose words have rows there."""
NO_PIXELS = {
    "Recipe.gandream": "there is one version of the language, and another is refused",
    "Recipe.title": "is told by players, and no picture shows it",
    "MusicWords.gain": "is heard; tests/run/test_again.py listens to it",
    "ModelWords.precision": "a CPU has one; tests/test_cuda.py has the others",
    "Noise.optional": "without it there is no picture but a mistake; tests/trajectory/test_layers.py",
    "Sectioned.from": "there is one choice",
    "Video.name": "is in the name of a file",
    "Video.encoder": "says who encodes the same pictures",
}
"""Words that have no row, and why."""


def groups(kind: type[Word] = Word) -> Iterator[type[Word]]:
    """Every group of words that a recipe may hold."""
    for one in kind.__subclasses__():
        if one.__module__.startswith("gandream.recipe."):
            if one.__name__ not in ABSTRACT:
                yield one
            yield from groups(one)


def test_every_word_has_a_row():
    for module in pkgutil.walk_packages(gandream.recipe.__path__, "gandream.recipe."):
        import_module(module.name)
    declared = {f"{kind.__name__}.{word}" for kind in groups() for word in kind.words()}
    told = {f"{rows.kind}.{word}" for rows in TABLE for word in rows.each}
    assert declared - told == set(NO_PIXELS), "a word wants a row in rows_of_*.py, or a reason not to have one"
    assert not told - declared, "there are no such words"


class Studio:
    """A folder with everything that the rows name, and what was shown in it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._made: dict[tuple[str, str], Any] = {}
        (folder / "base.yaml").write_text(BASE)

    def shown(self, text: str, what: str, again: bool = False) -> Any:
        """What a recipe shows: uint8 pictures and their segments' keys, float32 signals, the bytes of the pictures."""
        if again or (text, what) not in self._made:
            self._made[text, what] = getattr(self, f"_{what}")(text)
        return self._made[text, what]

    def _recipe(self, text: str):
        file = self.folder / "recipe.yaml"
        file.write_text(text if text.startswith("include:") else f"include: base.yaml\n{text}\n")
        return load_recipe(file)

    def _pictures(self, text: str) -> tuple[np.ndarray, list[str]]:
        prepared = prepare(self._recipe(text), self.folder / "cache")
        reel = prepared.reel("cpu")
        projector = Projector(reel, prepared.load("cpu"))
        made = [images for one in reel.segments for images in projector.pictures(one.start, one.stop)]
        frames = np.concatenate([display_bytes(images).numpy() for images in made])
        return frames, [segment.key for segment in reel.segments]

    def _signals(self, text: str) -> np.ndarray:
        return prepare(self._recipe(text), self.folder / "cache").score.curves.signals["s"]

    def _file(self, text: str) -> bytes:
        recipe = self._recipe(text)
        film = render(recipe, self.folder / f"film.{recipe.video.file}", force=True).path
        return recipe.video.file.encode() + ffmpeg.run(
            "-v", "error", "-i", film, "-map", "0:v", "-c", "copy", "-f", "md5", "-"
        )


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, stylegan2_file: Callable[..., Path]) -> Studio:
    folder = tmp_path_factory.mktemp("studio")
    models: dict[str, dict[str, int]] = {"conditional": {"classes": 3}, "noisy": {}, "clear": {"colours": 4}}
    for name, options in models.items():
        (folder / f"{name}.safetensors").symlink_to(stylegan2_file(**options))
    (folder / "more.yaml").write_text("truncation: 0.3\n")
    (folder / "table.csv").write_text("time,one,two\n0,0,1\n1,1,0.2\n2,0.3,0.5\n")
    (folder / "one.lrc").write_text("[00:00.10]Hello\n[00:02.00]you\n")
    (folder / "two.lrc").write_text("[00:00.10]Good\n[00:02.00]bye\n")
    random = np.random.RandomState(0)
    np.savez(folder / "saved.npz", one=random.randn(64), two=random.randn(64))
    np.savez(folder / "two.npz", a=random.randn(9, 64), b=random.randn(9, 64))
    for name in ("path", "other"):
        np.savez(folder / f"{name}.npz", random.randn(12, 64))
    _pictures(folder)
    _sounds(folder)
    _notes(folder)
    _drifting(folder)
    return Studio(folder)


def _pictures(folder: Path) -> None:
    from PIL import Image, ImageDraw, ImageFont

    for name, corner in (("logo", (4, 4)), ("other", (12, 10))):
        image = Image.new("RGBA", (32, 20))
        ImageDraw.Draw(image).ellipse((*corner, 28, 18), fill=(255, 180, 40, 255))
        image.save(folder / f"{name}.png")
        moving = np.random.RandomState(len(name)).randint(16, 235, (24, 3 * 16 * 16), np.uint8)
        frames = b"".join(b"FRAME\n" + frame.tobytes() for frame in np.sort(moving, axis=0))
        (folder / f"{'clip' if name == 'logo' else name}.y4m").write_bytes(b"YUV4MPEG2 W16 H16 F8:1 C444\n" + frames)
    built_in = ImageFont.load_default(10)
    assert isinstance(built_in, ImageFont.FreeTypeFont)
    assert isinstance(built_in.path, io.BytesIO)
    font = bytearray(built_in.path.getvalue())
    head = font.index(b"\x5f\x0f\x3c\xf5")  # the magic number in a font's header; units per em come 6 bytes after
    font[head + 6 : head + 8] = (2 * int.from_bytes(font[head + 6 : head + 8], "big")).to_bytes(2, "big")
    (folder / "own.ttf").write_bytes(font)


def _sounds(folder: Path) -> None:
    """Chords, a line above them, and drums at 120 BPM of uneven strength; another piece of other notes."""
    import soundfile

    rate, random = 22_050, np.random.RandomState(1)
    time = np.arange(6 * rate) / rate
    for name, roots in (("tune", (261.6, 349.2, 392.0, 220.0)), ("other", (311.1, 233.1, 277.2, 370.0))):
        sound = np.zeros(len(time))
        for second in range(6):
            part = slice(second * rate, (second + 1) * rate)
            for share, level in ((1, 0.12), (1.26, 0.06), (1.5, 0.03)):
                sound[part] += level * np.sin(2 * np.pi * roots[second % 4] * share * time[part])
        for number, beat in enumerate(np.arange(0, 6, 0.5)):
            low = np.exp(-np.arange(rate // 4) / 1200) * np.sin(2 * np.pi * 60 * np.arange(rate // 4) / rate)
            high = np.exp(-np.arange(rate // 4) / 300) * random.randn(rate // 4)
            at, struck = int(beat * rate), (0.7, 0.3, 0.5, 0.15)[number % 4]
            sound[at : at + rate // 4] += struck * (low if number % 2 == 0 else 0.5 * high)
        soundfile.write(folder / f"{name}.wav", sound, rate)
    soundfile.write(folder / "hush.wav", 0 * time, rate)


def _notes(folder: Path) -> None:
    mido = pytest.importorskip("mido")
    for name, note in (("take", 36), ("other", 40)):
        file, track = mido.MidiFile(ticks_per_beat=480), mido.MidiTrack()
        for beat in range(4):
            track.append(mido.Message("note_on", note=note, velocity=120 - 20 * beat, time=note * 10))
            track.append(mido.Message("note_on", note=note + 2, velocity=60, channel=9, time=120))
            track.append(mido.Message("control_change", control=1, value=100 - 30 * (beat % 2), time=60))
            track.append(mido.Message("control_change", control=7, value=40 * (beat % 3), time=60))
        file.tracks.append(track)
        file.save(folder / f"{name}.mid")


def _drifting(folder: Path) -> None:
    """A small StyleGAN3, whose first row of w places its picture."""
    from gandream.models.checkpoint.safe_tensors import write_safetensors

    found = importlib.util.spec_from_file_location("reference3", MODELS / "stylegan3_reference.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    tensors, attributes = module.random_network(resolution=32, margin=10, kernel=1, radial=True)
    native = {"gandream": 1, "family": "stylegan3", "configuration": {"attributes": attributes}}
    write_safetensors(folder / "drifting.safetensors", tensors, {"gandream": json.dumps(native)})


def cases() -> Iterator[Any]:
    for rows in TABLE:
        for word in rows.each:
            marks = [] if word in rows.quick else [pytest.mark.slow]
            form = rows.form.replace("\n", " ")
            yield pytest.param(rows, word, id=f"{rows.kind}.{word} in {form}", marks=marks)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference; infinite between arrays of other shapes."""
    return float(np.abs(one.astype(float) - other).max()) if one.shape == other.shape else math.inf


@pytest.mark.parametrize(("rows", "word"), list(cases()))
def test_the_word_changes_what_is_seen(studio: Studio, rows: Rows, word: str):
    one, other = rows.texts(word)
    if word in rows.refuses:
        outcomes = []
        for text in (one, other):
            try:
                outcomes.append(studio.shown(text, rows.shows))
            except GandreamError:
                outcomes.append(None)
        assert sum(outcome is None for outcome in outcomes) == 1, "one of the two is refused"
        return
    before, after = studio.shown(one, rows.shows), studio.shown(other, rows.shows)
    if rows.shows == "file":
        assert before != after
    elif rows.shows == "signals":
        assert apart(before, after) > 0.01
    else:
        assert apart(before[0], after[0]) > 1, "pictures differ by more than a level"
        assert before[1] != after[1], "what is changed is rendered again"


@pytest.mark.parametrize(
    "text",
    ["", "effects: [grain, trails]", "grid: {seeds: [1, 2], labels: true}", "model: noisy.safetensors\nnoise: animate"],
)
def test_two_equal_recipes_make_equal_frames(studio: Studio, text: str):
    first, again = studio.shown(text, "pictures"), studio.shown(text, "pictures", again=True)
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]
