"""What a group of words takes besides its words: short forms, and words that want or exclude each other.

A row for each group, by its name; a group that reads short forms has a row in ``SHORT``, which a test checks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gandream.recipe.codecs import CODECS, FILES, codecs_of
from gandream.recipe.heard import APPLIES, AUTOMATION, KINDS
from gandream.recipe.latent import MAX_SEED, SAVED
from gandream.recipe.schema.parts import (
    NULL,
    VARIABLE,
    Schema,
    both,
    choice,
    ending,
    given,
    one_of,
    text,
    time,
    wants,
    whole,
)
from gandream.recipe.walk import KINDS as ROAMING
from gandream.recipe.walk import OF_THROUGH, WALKS

Words = dict[str, Schema]
"""What may be written for each word of a group."""


class Short(Protocol):
    """Gives the short forms of a group, from what its words take."""

    def __call__(self, words: Words, /) -> Sequence[Schema]:
        """The short forms."""
        ...


def main(word: str) -> Short:
    """The main word's value alone."""
    return lambda words: [words[word]]


def _transition(words: Words) -> Sequence[Schema]:
    length = time(zero=False, share=False)["anyOf"][1]["pattern"].removeprefix("^").removesuffix("$")
    return [choice(["cut", "crossfade"]), text(rf"^\s*crossfade {length}$")]


SHORT: dict[str, Short] = {
    "Bounce": main("speed"),
    "Bounced": lambda words: [{"const": True}, words["box"]],
    "Circle": main("every"),
    "Classes": main("through"),
    "Footage": main("file"),
    "Latent": lambda words: [whole(0, MAX_SEED), choice(["mean"]), ending(SAVED, "(?:#.*)?")],
    "Noise": main("mode"),
    "Recorded": main("file"),
    "Signal": lambda words: [choice({name: about for name, about in KINDS.items() if name != "band"})],
    "Simplex": main("every"),
    "Smooth": main("sigma"),
    "Transition": _transition,
    "Walk": lambda words: [choice({name: about for name, about in WALKS.items() if name not in ("file", "footage")})],
    "Wander": main("sigma"),
}


def exactly_one(*words: str) -> Schema:
    """One of some words, and no other."""
    return {"oneOf": [given(word) for word in words]}


def at_most_one(words: Sequence[str]) -> Schema:
    """One of some words, or none."""
    return {"anyOf": [exactly_one(*words), {"not": {"anyOf": [given(word) for word in words]}}]}


def none_of(condition: Schema, words: Sequence[str]) -> Schema:
    """Where something holds, none of some words is said."""
    return {"if": condition, "then": {"not": {"anyOf": [given(word) for word in words]}}}


def _is(word: str, *values: object) -> Schema:
    return {"required": [word], "properties": {word: {"enum": list(values)}}}


def _signal() -> list[Schema]:
    made: list[Schema] = [{"anyOf": [given("from"), *(given(kind) for kind in AUTOMATION)]}]
    for word, kinds in APPLIES.items():
        named: Schema = {"properties": {"from": {"enum": sorted(kinds)}}}
        made.append({"if": given(word), "then": named})
    made += [{"if": _is("from", kind), "then": given(kind)} for kind in AUTOMATION]
    made.append({"if": _is("from", "band"), "then": {"anyOf": [given("low"), given("high")]}})
    return [*made, both("clip", "peaks"), both("note", "controller"), wants("causal", "smooth", usual=1)]


def _walk() -> list[Schema]:
    roaming: Schema = {"anyOf": [given(kind) for kind in ROAMING]}
    empty: Schema = {"required": ["through"], "properties": {"through": NULL}}
    alone = {"anyOf": [{"required": [kind]} for kind in ROAMING]}
    return [
        at_most_one(list(WALKS)),
        none_of(roaming, OF_THROUGH),
        {"if": empty, "then": alone},
        none_of(given("plane"), ["speed"]),
        none_of(given("file"), ["space"]),
        both("every", "at"),
    ]


def _video() -> list[Schema]:
    made: list[Schema] = []
    for file in FILES:
        held = codecs_of(file)
        if held:
            codec: Schema = {"enum": [*held, None]}
            made.append({"if": _is("file", file), "then": {"properties": {"codec": codec}}})
        else:
            plain = ["codec", "subsampling"] if FILES[file].crf else ["codec", "subsampling", "crf"]
            made.append(none_of(_is("file", file), plain))
    usual: Schema = {"not": {"required": ["file"]}}
    made.append({"if": usual, "then": {"properties": {"codec": {"enum": [*codecs_of("mp4"), None]}}}})
    return made + [none_of(_is("codec", name), ["crf"]) for name, codec in CODECS.items() if codec.crf is None]


def _mixing() -> list[Schema]:
    return [wants("fade", "at", "until", "every"), wants("for", "every"), wants("ease", "fade", usual="linear")]


def _recipe() -> list[Schema]:
    every_scene = {"properties": {"scenes": {"type": "array", "minItems": 1, "items": {"required": ["model"]}}}}
    elsewhere: list[Schema] = [{"required": [word]} for word in (*AUTOMATION, "of")]
    elsewhere.append({"properties": {"from": {"enum": [*AUTOMATION]}}, "required": ["from"]})
    unheard = one_of(VARIABLE, {"type": "object", "anyOf": elsewhere})
    told: Schema = {"anyOf": [{"required": ["audio"]}, {"required": ["tempo"]}, {"required": ["include"]}]}
    signals: Schema = {"properties": {"signals": {"additionalProperties": unheard}}}
    return [
        {"anyOf": [{"required": ["model"]}, {"required": ["include"]}, {"required": ["scenes"], **every_scene}]},
        {"if": {"not": told}, "then": signals},
        {
            "if": {
                "properties": {"transition": {"type": "string", "pattern": "^\\s*crossfade"}},
                "required": ["transition"],
            },
            "then": {"anyOf": [given("scenes"), given("include")]},
        },
        both("scenes", "grid"),
    ]


RELATIONS: dict[str, Callable[[], list[Schema]]] = {
    "Circle": lambda: [both("plane", "seed")],
    "Classes": lambda: [both("weights", "from"), both("weights", "through"), both("every", "at"),
                        {"anyOf": [given("through"), given("weights"), given("from")]}],
    "Latent": lambda: [
        exactly_one("seed", "file", "between", "mean"), wants("class", "seed", "file"), wants("name", "file"),
        wants("amount", "between", usual=0.5),
    ],
    "Lettering": lambda: [
        {"if": {"properties": {"text": {"type": ["string", "array"]}}}, "then": wants("fade", "at", "until")}
    ],
    "Masked": lambda: [both("image", "colour"), wants("fade", "at", "until")],
    "Mix": _mixing,
    "ModelWords": lambda: [{"properties": {"sha256": one_of(text("^[0-9a-fA-F]{64}$"), NULL)}}],
    "Noise": lambda: [{"if": _is("pyramid", True), "then": _is("mode", "animate")}],
    "Overlay": lambda: [wants("fade", "at", "until")],
    "Push": lambda: [
        exactly_one("toward", "random", "along", "bounce"),
        {"if": given("box"), "then": {"allOf": [given("random"), _is("mode", "drift")]}},
        none_of(_is("space", "z"), ["layers"]),
        none_of(given("bounce"), ["layers"]),
    ],
    "Recipe": _recipe,
    "Recorded": lambda: [both("fps", "duration")],
    "RegionOfLatent": _mixing,
    "Shuffle": lambda: [exactly_one("every", "at")],
    "Signal": _signal,
    "Tempo": lambda: [both("bpm", "beats"), both("factor", "bpm"), both("factor", "beats")],
    "Transition": lambda: [wants("ease", "crossfade", usual="linear")],
    "Truncated": lambda: [both("layers", "cutoff")],
    "Video": _video,
    "Walk": _walk,
}  # fmt: skip
"""Words that want or exclude each other; what else there is of this is told when the recipe is read."""
