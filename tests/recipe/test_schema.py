"""The JSON Schema says what the reader says: of recipes that load, and of those that don't."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from seen import refused

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
from coming_from_rows import LINES, merged

from gandream.base.assets import recipes
from gandream.base.errors import RecipeError
from gandream.recipe import schema as package
from gandream.recipe.effects import EFFECTS
from gandream.recipe.fields import Word
from gandream.recipe.load import load_recipe
from gandream.recipe.reader import read_document, read_text
from gandream.recipe.schema import groups, kinds, recipe_schema, writer
from gandream.run.schema import schema_text

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "assets" / "schema" / package.SCHEMA_NAME
WRONG = sorted((Path(__file__).parent / "wrong").glob("*.yaml"))


def test_the_shipped_file_is_made_from_the_declarations():
    made = "gandream schema -o assets/schema/gandream.schema.json"
    assert SHIPPED.read_text(encoding="utf-8") == schema_text(), f"make it again: {made}"


@pytest.mark.slow
def test_it_is_a_schema():
    Draft202012Validator.check_schema(recipe_schema())


def test_editors_of_any_age_read_it():
    text = json.dumps(recipe_schema())
    for word in ("prefixItems", "dependentRequired", "unevaluatedProperties", "$dynamicRef"):
        assert f'"{word}"' not in text, "draft 7 doesn't know it"
    named = set(re.findall(r'"#/\$defs/([^"]+)"', text))
    assert named <= set(recipe_schema()["$defs"])
    assert set(recipe_schema()["$defs"]) == named, "each definition is used"


def test_every_word_is_described_with_its_default():
    properties = recipe_schema()["properties"]
    assert properties["seed"]["default"] == 0
    assert all(one["description"] for one in properties.values())
    walk = recipe_schema()["$defs"]["Walk"]["properties"]
    assert walk["ease"]["default"] == "linear"
    assert walk["through"]["default"] == [0, 1, 2, 3]
    video = recipe_schema()["$defs"]["Video"]["properties"]
    assert (video["fps"]["default"], video["fit"]["enum" if "enum" in video["fit"] else "default"]) == (30, "cover")


def test_a_row_for_each_reader_and_none_too_many(monkeypatch: pytest.MonkeyPatch):
    asked: set[str] = set()

    class Asked(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            asked.add(name)
            return super().__getitem__(name)

    monkeypatch.setattr(writer, "KINDS", Asked(kinds.KINDS))
    made = writer.Writer()
    made.words(writer.Recipe)
    assert asked == set(kinds.KINDS)
    assert {name for name in groups.RELATIONS if name != "Recipe"} <= set(made.definitions)


def test_each_group_with_short_forms_tells_them():
    short = {kind.__name__ for kind in _below(Word) if "_short" in vars(kind)}
    assert short == set(groups.SHORT)


def _below(kind: type[Word]) -> Iterator[type[Word]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


@pytest.mark.parametrize("path", recipes().values(), ids=lambda path: path.stem)
def test_shipped_recipes_are_good_and_name_the_schema(path: Path):
    assert refused(read_document(path).tree) == ""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == SHIPPED


def test_every_line_for_those_who_come_from_other_tools():
    assert len(LINES) > 100
    assert {line.about: found for line in LINES if (found := refused(merged(line)))} == {}


GOOD = """\
model: $net
vars: {net: cppn#7, long: 2 bars, size: 512, kinds: [vignette], depth: 0.5, some: [1, 2]}
audio: {file: song.wav, gain: -3}
tempo: {bpm: 120}
signals:
  kick: {from: onset, clip: 95, quantise: 4, smooth: $long}
  notes: chroma
walk: {through: $some, every: $long, ease: [smooth, hold]}
push: [{random: true, by: $depth}, {along: ones}, {bounce: true}, {along: song.npy#2, layers: [0, 4-, fine]}]
mix: {from: [3, 4], every: 4 beats}
blend: {by: notes, latents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}
truncation: {0s: $depth, 50%: 1, 1:05: 0.2, ease: in_out_cubic}
effects: $kinds
camera: {shake: {0s: 0, 2s: 0.3}, pan: 0.1*kick, zoom: 1 + depth}
noise: [{mode: animate, where: {x: 0.2}}, off]
video: [{size: $size, fps: 24000/1001}, {size: 640x360, file: gif, name: small}]
"""


def test_short_forms_and_variables_stand_everywhere(load):
    load(GOOD.encode())
    assert refused(read_text(GOOD, "r.yaml", Path())[0]) == ""


@pytest.mark.parametrize("name", EFFECTS)
def test_effects_by_name_and_with_their_word(name: str):
    required = EFFECTS[name].model_fields[name].is_required()
    words = {"model": "x", "effects": [name]}
    assert bool(refused(words)) == required
    assert bool(refused({"model": "x", "effects": {name: None}})) == required
    assert refused({"model": "x", "effects": [{"no_effect": 1}]})


def test_what_is_included_needn_t_be_said_again():
    more = {"include": "base.yaml", "signals": {"kick": {"release": 0.4}}, "push": {"by": 0.3}, "video": {"crf": 20}}
    assert refused(more) == ""
    assert refused({**more, "signals": {"kick": {"relase": 0.4}}})
    assert refused({**more, "pus": 1})
    assert refused({"model": "x", "audio": "song.wav", "signals": {"kick": {"release": 0.4}}})


@pytest.mark.parametrize(
    "scenes", [[{"model": "a"}, {"model": "b", "at": "section 2"}], [{"model": "a"}, {"walk": "wander"}]]
)
def test_a_film_whose_scenes_have_models_needs_none(scenes: list[Any]):
    assert bool(refused({"scenes": scenes})) == any("model" not in one for one in scenes)


CASES = [(path.stem, number, case) for path in WRONG for number, case in enumerate(yaml.safe_load(path.read_text()))]


def test_there_are_enough_wrong_recipes():
    assert len(CASES) >= 60
    assert sum("unseen" not in case for _, _, case in CASES) >= 60
    assert all(case["unseen"] for _, _, case in CASES if "unseen" in case)


@pytest.mark.parametrize("case", [case for _, _, case in CASES], ids=[f"{stem}-{at}" for stem, at, _ in CASES])
def test_a_wrong_recipe_is_told_and_seen(write: Callable[..., Path], case: dict[str, str]):
    write("", first="").unlink()
    Path("film.yaml").write_text(case["recipe"], encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe("film.yaml")
    assert str(caught.value).replace(str(Path.cwd()), "FOLDER") == case["told"]
    try:
        tree = read_text(case["recipe"], "film.yaml", Path())[0]
    except RecipeError:
        assert "unseen" in case, "what isn't YAML, no schema sees"
        return
    assert bool(refused(tree)) == ("unseen" not in case), refused(tree)
