"""The reference: it says every word that is declared, and each of its examples is a recipe that is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from example_files import completed, lay

from gandream.base.errors import GandreamError, OutputError
from gandream.recipe.bend import BENDS
from gandream.recipe.cells import cells_of
from gandream.recipe.codecs import CODECS, FILES
from gandream.recipe.curve import EASES
from gandream.recipe.effects import EFFECTS
from gandream.recipe.examples import BASE, EXAMPLES, UNITS
from gandream.recipe.expression import NAMES
from gandream.recipe.fields import Reads, Word
from gandream.recipe.functions import FUNCTIONS
from gandream.recipe.heard import AUTOMATION, DETECTORS, KINDS
from gandream.recipe.reader import read_text
from gandream.recipe.recipe import Recipe, check_beats
from gandream.recipe.walk import WALKS
from gandream.run.reference.topics import found, topics

ENTRIES = [entry for topic in topics() for entry in topic.entries]
ALL = [(f"{one.name}={choice.name}", choice) for one in ENTRIES for choice in one.choices]
ALL += [(one.name, one) for one in ENTRIES]
ONCE = sorted({entry.example for _, entry in ALL})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, clicks: Path) -> Path:
    return lay(tmp_path_factory.mktemp("film"), clicks)


@pytest.mark.parametrize("share", range(8))
def test_every_example_is_read(share: int, folder: Path):
    wrong = {}
    for example in ONCE[share::8]:
        try:
            recipe = completed(example, folder)
            check_beats(recipe)
            cells_of(recipe)
        except GandreamError as error:
            wrong[example] = str(error)
    assert wrong == {}


def test_every_entry_says_what_it_is_and_shows_itself():
    for name, entry in ALL:
        assert entry.about, name
        assert entry.takes, name
        path, _, choice = name.partition("=")
        words, _ = read_text(entry.example, "example", Path())
        assert words.keys() & {path.split(".")[0], *_beside(path)}, name
        if choice and name not in ("signals.from=midi", "signals.from=csv"):
            assert choice in entry.example, name


def _beside(path: str) -> tuple[str, ...]:
    """The words in whose example a thing is shown that is no word at a recipe's top."""
    inside = {"latent": ("walk",), "use": ("use",)}
    return inside.get(path.split(".")[0], ("truncation", "walk", "mix", "effects", "camera", "scenes"))


def declared(kind: type[Word], seen: set[type[Word]]) -> None:
    """All groups of words that can be reached from one."""
    if kind in seen:
        return
    seen.add(kind)
    for field in kind.model_fields.values():
        for one in [field.annotation, *(note.kind for note in field.metadata if isinstance(note, Reads))]:
            for group in groups(one):
                declared(group, seen)


def groups(kind: Any) -> list[type[Word]]:
    if isinstance(kind, type) and issubclass(kind, Word):
        return [kind]
    return [group for part in get_args(kind) for group in groups(part)]


def test_no_declared_word_is_left_out():
    """Every word of every group that a recipe can hold is the last part of an entry's name."""
    seen: set[type[Word]] = set()
    declared(Recipe, seen)
    told = {entry.word for entry in ENTRIES} | {entry.name for entry in ENTRIES}
    missing = {f"{kind.__name__}.{word}" for kind in seen for word in kind.words() if word not in told | {"preset"}}
    assert not missing


@pytest.mark.parametrize(
    ("table", "where"),
    [
        (FUNCTIONS, None),
        (NAMES, "names"),
        (EASES, "eases"),
        (KINDS | AUTOMATION, "signals"),
        (DETECTORS, "signals"),
        (EFFECTS, "effects"),
        (BENDS, "bend"),
        (WALKS, "walk"),
        (CODECS, "video"),
        (FILES, "video"),
    ],
)
def test_every_table_of_words_is_told(table: dict[str, Any], where: str | None):
    for word in table:
        assert any(topic.name == where or where is None for topic, _ in found(word)), word


def test_examples_and_units_belong_to_a_word():
    names = {entry.name for entry in ENTRIES}
    assert {path.partition("=")[0] for path in EXAMPLES} <= names
    assert set(UNITS) <= names


def test_what_is_declared_is_what_is_told():
    """Transcribed by hand from the declarations: kind, unit, range and default."""
    by_name = {entry.name: entry for entry in ENTRIES}

    def told(name: str) -> tuple[str, str, str, str]:
        one = by_name[name]
        return one.takes, one.unit, one.range, one.default

    assert told("effects.trails.turn") == ("a curve", "degrees in 1/30 s", "-90 to 90", "0")
    assert told("camera.rotate") == ("a curve", "degrees", "", "0")
    assert told("walk.circle.every") == ("a length of time", "", "", "16s")
    assert told("signals.high") == ("a number", "Hz", "above 0 to 11025", "")
    assert told("tempo.bpm") == ("a number", "beats per minute", "10 to 1000", "")
    assert told("model") == ("a model, or words of its own", "", "", "required")
    assert told("mix.layers") == ("layers", "", "", "all")
    assert told("tempo.beats") == ("a list of moments", "", "", "")
    assert told("walk.ease") == ("an ease", "", "", "linear")
    assert [one.name for one in by_name["walk.path"].choices] == ["slerp", "lerp", "spline", "step"]


def test_a_word_is_found_wherever_it_stands(gandream):
    said = gandream("reference", "zoom")
    assert said.status == 0
    for name in ("camera.zoom", "effects.zoom", "effects.trails.zoom", "bend.zoom"):
        assert name in said.out
    assert said.err == ""


def test_what_push_takes(gandream):
    said = gandream("reference", "push")
    for word in ("toward", "random", "along", "by", "inertia", "layers"):
        assert f"push.{word}" in said.out
    assert "push: {random: 7, by: 0.5*kick}" in said.out
    assert max(len(line) for line in said.out.splitlines()) <= 110
    assert "\x1b" not in said.out


def test_all_topics_are_listed(gandream):
    said = gandream("reference")
    for topic in topics():
        assert f"\n  {topic.name} " in said.out


@pytest.mark.parametrize(
    ("typed", "meant"), [("truncatoin", "truncation"), ("kaleidscope", "kaleidoscope"), ("smothstep", "smoothstep")]
)
def test_a_typo_gets_the_nearest_word(gandream, typed: str, meant: str):
    said = gandream("reference", typed)
    assert said.status == 2
    assert f"Did you mean '{meant}'?" in said.err
    assert said.out == ""


def test_nonsense_is_told_what_to_do():
    with pytest.raises(OutputError, match="lists all topics"):
        found("qqqqqqqq")


def test_for_programs(gandream):
    whole = json.loads(gandream("reference", "--json").out)
    assert {topic["name"] for topic in whole["topics"]} == {topic.name for topic in topics()}
    one = json.loads(gandream("reference", "push.by", "--json").out)
    entry = one["topics"][0]["entries"][0]
    assert entry["name"] == "push.by"
    assert entry["takes"] == "a curve"
    assert entry["default"] == "1"


def test_pages_are_written(gandream, here: Path):
    said = gandream("reference", "--pages", "site")
    assert (said.status, said.out, said.err) == (0, "site\n", "")
    assert {page.name for page in Path("site").iterdir()} == {f"{topic.name}.md" for topic in topics()} | {"index.md"}
    push = Path("site/push.md").read_text()
    assert "## push.toward { #push.toward }" in push
    assert "push: {toward: 9, by: 0.6*level}" in push
    assert "<svg" in Path("site/signals.md").read_text()


def test_a_folder_that_cannot_be_written_is_told(gandream, here: Path):
    (here / "site").write_text("a file")
    said = gandream("reference", "--pages", "site")
    assert said.status == 2
    assert said.out == ""
    assert "site" in said.err


@pytest.fixture(scope="module")
def models(stylegan2_file: Callable[..., Path]) -> list[str]:
    """A pattern network, and small StyleGAN2s of 64 pixels without classes and with."""
    shape = {"z": 64, "w": 64, "channels": (4, 4, 4, 4, 4)}
    return ["cppn#7", str(stylegan2_file(**shape)), str(stylegan2_file(**shape, classes=12))]


NOT_HERE = {
    "network.pkl": "a file that isn't here",
    "alpha": "no model here is transparent",
    "hardware": "not every machine has an encoder",
}
"""Examples that can't compile without a certain model."""


@pytest.mark.slow
@pytest.mark.parametrize("example", [one for one in ONCE if not any(word in one for word in NOT_HERE)])
def test_every_example_compiles_on_some_model(example: str, models: list[str], folder: Path, heard: Path):
    from gandream.run.prepare import prepare

    told = []
    if "take.mid" in example:
        pytest.importorskip("mido")
    base = {model: BASE.replace("cppn#7", model) for model in models}
    for model, text in base.items():
        classed = {"classes": "1"} if model == models[2] and "class:" not in example else {}
        try:
            prepare(completed(example, folder, text, **classed), heard)
        except GandreamError as error:
            told.append(f"{model}: {error}")
        else:
            return
    pytest.fail("\n".join(told))
