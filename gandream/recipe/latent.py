"""Latents as people name them: a seed, a saved one, one in between, or the mean."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_serializer, model_validator

from gandream.base.errors import did_you_mean
from gandream.recipe.fields import FileRef, Number, Whole, Word, existing_file, wrong
from gandream.recipe.text import Text

MAX_SEED = 2**32 - 1
SAVED = (".npy", ".npz", ".pt", ".pth")
_WANTED = "wanted a latent: a seed such as 7, {seed: 7, class: 3}, faces.npz#smile, {between: [7, 9]} or mean"


def _saved(value: Any) -> FileRef:
    """A file of saved latents, without the ``#name`` behind it."""
    file = existing_file(value, f"a file of saved latents ({', '.join(SAVED)})")
    if file.path.suffix.lower() not in SAVED:
        raise wrong(f"saved latents are {', '.join(SAVED)} files")
    return file


def _class(value: Any) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, int) and value < 0):
        raise wrong("wanted a class: its number, or its name")
    return int(value) if isinstance(value, int) else str(value)


ClassWord = Annotated[int | str, BeforeValidator(_class)]


class Latent(Word):
    """A place in latent space. A seed is the same one as in the published tools."""

    seed: Annotated[Whole | None, Field(ge=0, le=MAX_SEED, description="0 to 4294967295")] = None
    class_: Annotated[
        ClassWord | None, Field(alias="class", description="its number or name, in conditional models")
    ] = None
    file: Annotated[
        Annotated[FileRef, BeforeValidator(_saved), WithJsonSchema({"type": "string"})] | None,
        Field(description="saved latents: z [D] or [K, D], or w [L, D] or [K, L, D], in .npy, .npz or .pt"),
    ] = None
    name: Annotated[str | None, Field(description="which array of an .npz, or which row: `smile`, `3`, `smile/3`")] = (
        None
    )
    mean: Annotated[bool, Field(description="the mean of w: w_avg")] = False
    between: Annotated[
        tuple[Latent, Latent] | None, Field(description="two latents; this one lies `amount` of the way")
    ] = None
    amount: Annotated[Number, Field(ge=-100, le=100, description="0 is the first, 1 the second; beyond is allowed")] = (
        0.5
    )

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A number alone is a seed; text is ``mean``, or a file with the name of what is meant in it."""
        if isinstance(value, cls | dict):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise wrong(_WANTED)
        if not isinstance(value, str):
            return {"seed": value}
        if value == "mean":
            return {"mean": True}
        written = re.fullmatch(r"(.+?\.(?:np[yz]|pth?))(?:#(.*))?", value, re.IGNORECASE | re.DOTALL)
        if written is None:
            hint = "Seeds are numbers, without quotes." if value.isdecimal() else did_you_mean(value, ("mean",))
            raise wrong(_WANTED, hint)
        file, name = written.groups()
        return {
            "file": Text(file, value.folder) if isinstance(value, Text) else file,
            **({"name": name} if name else {}),
        }

    @model_validator(mode="after")
    def _one(self) -> Latent:
        given = [self.seed is not None, self.file is not None, self.mean, self.between is not None]
        if sum(given) != 1:
            said = [word for word in ("seed", "file", "between", "mean") if word in self.model_fields_set]
            raise wrong("a latent is one of: `seed`, `file`, `between`, `mean`", key=said[-1] if said else None)
        if self.class_ is not None and self.seed is None and self.file is None:
            hint = "Give each of the two its own." if self.between else ""
            raise wrong("a class goes with a seed or a saved z", hint, key="class")
        if self.name is not None and self.file is None:
            raise wrong("`name` goes with `file`", key="name")
        if self.amount != 0.5 and self.between is None:
            raise wrong("`amount` goes with `between`", key="amount")
        return self

    @model_serializer
    def _written(self) -> Any:
        if self.seed is not None:
            return self.seed if self.class_ is None else {"seed": self.seed, "class": self.class_}
        if self.file is not None:
            if self.class_ is not None:
                name = {} if self.name is None else {"name": self.name}
                return {"file": self.file.written, **name, "class": self.class_}
            return self.file.written + (f"#{self.name}" if self.name else "")
        if self.between is not None:
            return {"between": [latent._written() for latent in self.between], "amount": self.amount}
        return "mean"
