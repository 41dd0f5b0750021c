"""``video``: one output, or a list of several from one render, which share the film's time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from gandream.recipe.fields import Reads, listed_as_one, wrong
from gandream.recipe.video import Video

TIME = ("fps", "duration", "start", "loop")
"""The words of time, which hold for all outputs; said once, in any of them."""
MOST_OUTPUTS = 16


def _of_one_time(outputs: tuple[Video, ...]) -> tuple[Video, ...]:
    """All outputs with the words of time of the one that says them first; saying another is a mistake at the word."""
    said: dict[str, Any] = {}
    for index, video in enumerate(outputs):
        for word in (word for word in TIME if word in video.model_fields_set):
            if said.setdefault(word, getattr(video, word)) != getattr(video, word):
                problem = "all outputs of a render have the same time, and another one says it differently"
                raise wrong(problem, f"Say `{word}` once, or make two recipes.", key=(index, word))
    for index, video in enumerate(outputs):
        if video.name is not None and video.name in [other.name for other in outputs[:index]]:
            raise wrong("another output has this name", "Give each its own.", key=(index, "name"))
    return tuple(_with(video, said) for video in outputs) if len(outputs) > 1 else outputs


def _with(video: Video, said: dict[str, Any]) -> Video:
    lacking = {word: value for word, value in said.items() if word not in video.model_fields_set}
    return video.model_copy(update=lacking) if lacking else video


def _written(outputs: tuple[Video, ...]) -> Any:
    return outputs[0] if len(outputs) == 1 else list(outputs)


Outputs = Annotated[
    tuple[Video, ...],
    BeforeValidator(listed_as_one),
    Field(min_length=1, max_length=MOST_OUTPUTS),
    AfterValidator(_of_one_time),
    PlainSerializer(_written),
    Reads(Video | tuple[Video, ...]),
]
