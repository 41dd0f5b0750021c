"""The format of the picture: what ``video`` says, held against the model and the encoders that are here."""

from __future__ import annotations

from typing import cast

from gandream.base import ffmpeg
from gandream.base.errors import listed
from gandream.models.registry import extending
from gandream.models.spec import Spec
from gandream.recipe.recipe import Recipe
from gandream.trajectory.grid import Layout
from gandream.video.codecs import CODECS
from gandream.video.colour import Subsampling
from gandream.video.format import OTHER_FFMPEG, NoEncoderError, VideoFormat
from gandream.video.hardware import NoHardwareError, chosen
from gandream.video.join import sound_coding
from gandream.video.sound import CODERS

DEFAULT_SIZE = (512, 512)
"""Width and height of a film whose recipe names none, of a model that has any size."""


def picture_size(recipe: Recipe, spec: Spec) -> tuple[int, int]:
    """Width and height of the film, of which an encoder can make what is asked; no encoder is looked for."""
    width, height = asked_size(recipe, spec)
    subsampling = recipe.video.coding.subsampling
    if subsampling in ("420", "422"):
        return width + width % 2, height + height % 2 * (subsampling == "420")
    return width, height


def asked_size(recipe: Recipe, spec: Spec) -> tuple[int, int]:
    """Width and height as the recipe says, or as the model, and a grid of its pictures, have them."""
    own = spec.size or (DEFAULT_SIZE[1], DEFAULT_SIZE[0])
    own = Layout.of(recipe.grid).whole(own) if recipe.grid else own
    return recipe.video.size or (own[1], own[0])


def picture_format(recipe: Recipe, spec: Spec) -> tuple[VideoFormat, tuple[str, ...]]:
    """The encoder's format; sizes that it can't take become even, with a warning.

    A file that keeps R'G'B' as it is (a GIF, a folder of pictures) has segments without loss, of planes G', B', R'.
    """
    video, coding = recipe.video, recipe.video.coding
    if video.fit == "extend" and not spec.extends:
        problem = f"{spec.name} makes pictures of its own size only ({spec.family})"
        hint = f"These go on beyond their edges: {listed(extending())}. Or take `fit: cover`."
        raise recipe.error(("video", "fit"), problem, hint)
    if coding.alpha and (problem := _opaque(recipe, spec)):
        raise recipe.error(("video", "alpha"), problem, "Leave `alpha` out.")
    asked, (width, height), warnings = asked_size(recipe, spec), picture_size(recipe, spec), list[str]()
    subsampling = cast(Subsampling, coding.subsampling)
    if recipe.grid and min(Layout.of(recipe.grid).cell((height, width))) < 2:
        problem = f"a frame of {width}x{height} has no room for so many cells"
        raise recipe.error(("grid",), problem, "Take fewer, or a larger `video.size`.")
    if (width, height) != asked:
        why = f"is odd, which 4:2:{subsampling[2]} can't hold: it becomes {width}x{height}"
        warnings.append(f"video.size {asked[0]}x{asked[1]} {why}")
    fmt = VideoFormat(
        *(width, height, video.fps, coding.codec or "ffv1"),
        crf=coding.crf or 0 if coding.codec else 0,
        preset=video.preset if CODECS[coding.codec or "ffv1"].seekable else "veryfast",  # the others know no effort
        subsampling=subsampling,
        depth=coding.depth,
        alpha=coding.alpha,
    )
    sound = CODERS[sound_coding(f".{coding.file}", fmt)].options[1]
    if recipe.audio is not None and coding.codec and sound not in ffmpeg.encoders():
        problem = f"this ffmpeg was built without {sound}, in which such a film keeps its sound"
        raise recipe.error(("video", "file"), problem, OTHER_FFMPEG)
    try:
        fmt, warning = chosen(fmt, video.encoder)
    except NoHardwareError as error:
        raise recipe.error(("video", "encoder"), error.problem, error.hint) from error
    except NoEncoderError as error:
        raise recipe.error(("video", "codec"), error.problem, error.hint) from error
    return fmt, (*warnings, *([warning] if warning else []))


def _opaque(recipe: Recipe, spec: Spec) -> str:
    """Why nothing in the film is transparent, or nothing."""
    if spec.channels not in (2, 4):
        return f"the pictures of {spec.name} have no alpha channel ({spec.family})"
    if recipe.layer is not None:
        return "the colours of a layer have no alpha channel"
    return "the cells of a grid lie on a colour, so nothing is transparent" if recipe.grid else ""
