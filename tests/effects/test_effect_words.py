"""The words of effects: forms, ranges, and what is told when they are wrong."""

from __future__ import annotations

import json
import re

import pytest
from pictures import READ, made_chain
from pydantic import ValidationError

from gandream.base.errors import RecipeError
from gandream.effects.table import EFFECT
from gandream.recipe.curve import Constant
from gandream.recipe.effects import EFFECTS, Flash, Vignette
from gandream.recipe.ranges import COLOURS, ranges


def told(written: object) -> tuple[tuple, str, str, object]:
    """Place, problem, hint and key of the mistake in a list of effects."""
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(written)
    (mistake,) = caught.value.errors()
    context = mistake.get("ctx") or {}
    return mistake["loc"], mistake["msg"], context.get("hint", ""), context.get("key")


def test_words_and_meanings_are_the_same_set():
    assert list(EFFECTS) == list(EFFECT)


def test_the_short_forms():
    (vignette,) = READ.validate_python("vignette")
    assert vignette == Vignette() == READ.validate_python([{"vignette": None}])[0] == READ.validate_python(vignette)[0]
    (flash,) = READ.validate_python({"flash": 0.5, "colour": "gold"})
    assert isinstance(flash, Flash)
    assert flash.flash == Constant(0.5)
    assert flash.colour.rgb == (1, 200 / 255, 60 / 255)
    assert [type(effect) for effect in READ.validate_python([{"trails": 0.8, "zoom": 1.01}, {"zoom": 2}])] == [
        EFFECTS["trails"],
        EFFECTS["zoom"],
    ]


def test_what_is_written_is_read_back():
    written = [
        *(name for name, kind in EFFECTS.items() if not kind.model_fields[name].is_required()),
        {"contrast": "1 + 0.5*sin(t)", "about": "grey"},
        {"fade": {"0s": 0, "2 bars": 1, "ease": "smooth"}, "colour": [1, 2, 3]},
        {"echo": 0.5, "delay": "2 beats"},
    ]
    effects = READ.validate_python(written)
    plain = json.loads(json.dumps(READ.dump_python(effects, mode="json")))
    again = READ.validate_python(plain)
    assert READ.dump_python(again, mode="json") == plain
    assert [type(effect) for effect in again] == [type(effect) for effect in effects]


@pytest.mark.parametrize("name", EFFECTS)
def test_every_parameter_is_described_with_its_range(name):
    kind = EFFECTS[name]
    assert kind.words()[0] == name
    assert kind.__doc__
    bounds = ranges(kind)
    for word, field in kind.model_fields.items():
        assert field.description, word
        if word in bounds and bounds[word].low > -1e9 and word not in ("x", "y"):
            assert f"{bounds[word].low:g} to {bounds[word].high:g}" in field.description, word
    assert set(kind.model_json_schema()["properties"]) == set(kind.words())


@pytest.mark.parametrize(
    ("written", "place", "problem", "hint", "key"),
    [
        ("vignete", (0,), "no such effect", "Did you mean 'vignette'?", None),
        ([{"contrst": 2}], (0,), "no such effect", "Did you mean 'contrast'?", "contrst"),
        (["mirror", {3: 2}], (1,), "no such effect", "There is: contrast, brightness", 3),
        ([{"contrast": 1, "abuot": "mean"}], (0,), "no such word here", "Did you mean 'about'?", "abuot"),
        ([{"contrast": 1, "qq": 1}], (0,), "no such word here", "Words here: contrast, about.", "qq"),
        ([{"contrast": 1, "flash": 1}], (0,), "one effect to an entry, and here are contrast, flash", "own", "flash"),
        ("flash", (0,), "flash wants a value", "{flash: 0.5}", "flash"),
        ([{"vignette": {"radius": 1}}], (0,), "parameters stand beside vignette", "{vignette: 0.5", "vignette"),
        ([{"contrast": 9}], (0, "contrast"), "must be from 0 to 8", "", None),
        ([{"trails": {"0s": 0.5, "1s": 1}}], (0, "trails"), "must be from 0 to 0.95; at 1s it is 1", "", None),
        ([{"fade": "inn"}], (0, "fade"), "wanted a fade: in, out, both, or a curve", "Did you mean 'in'?", None),
        ([{"fade": 2}], (0, "fade"), "must be from 0 to 1", "", None),
        ([{"flash": "1 +"}], (0, "flash"), "something is missing here", "", None),
        ([{"flash": 1, "colour": "whit"}], (0, "colour"), "wanted a colour", "Did you mean 'white'?", None),
        ([{"flash": 1, "colour": None}], (0, "colour"), "wanted a colour", "An unquoted # begins a comment.", None),
        ([{"flash": 1, "colour": [1, 2, 256]}], (0, "colour"), "from 0 to 255", "", None),
        ([{"mirror": "left"}], (0, "mirror"), "wanted a mirror: horizontal, vertical, both", "", None),
        ([{"echo": 1, "delay": "50%"}], (0, "delay"), "a length can't be a percentage", "", None),
        ([{}], (0,), "wanted an effect: its name", "Here: contrast", None),
        (None, (0,), "wanted an effect", "", None),
        (3, (0,), "wanted an effect", "", None),
    ],
)
def test_mistakes(written, place, problem, hint, key):
    found = told(written)
    assert found[0] == place
    assert found[3] == key
    assert problem in found[1]
    assert hint in found[2]


def test_an_echo_beyond_what_is_remembered():
    with pytest.raises(RecipeError, match=re.escape("8 × 30 frames: more than the 128")) as caught:
        made_chain({"echo": 0.5, "delay": "1s", "repeats": 8})
    assert caught.value.hint.startswith("Make the delay shorter")


def test_trails_that_are_cut_are_told():
    assert made_chain({"trails": 0.95}).warnings == ()
    (warning,) = made_chain("mirror", {"trails": 0.95}, fps=60).warnings
    assert warning.startswith("effects[1].trails: the memory ends after 128 frames")
    assert "0.907" in warning


@pytest.mark.parametrize("name", COLOURS)
def test_colours(name):
    code = COLOURS[name]
    listed = [int(code[at : at + 2], 16) for at in (0, 2, 4)]
    read = [READ.validate_python({"flash": 1, "colour": way})[0].colour.rgb for way in (name, "#" + code, code, listed)]
    assert len(set(read)) == 1
