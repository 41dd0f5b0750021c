"""Frames: the trajectory's inputs through the generator, brought to the film's size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from gandream.base.errors import RenderError
from gandream.effects.camera import endless, moved
from gandream.models.activations import LayerColours
from gandream.models.spec import Inputs
from gandream.rendering.apple import short_of_memory
from gandream.rendering.batches import TooManyError
from gandream.rendering.plan import Plan, made_size
from gandream.trajectory.feed import Feed

if TYPE_CHECKING:
    from gandream.models.spec import Generator


class Exposures:
    """What was made of the batch that is painted just now, for the other outputs that want it."""

    def __init__(self) -> None:
        self._batch, self._made = (0, 0), dict[tuple[Any, ...], Any]()

    def once(self, batch: tuple[int, int], what: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made only once for each ``what`` of a batch; nobody writes into it."""
        if batch != self._batch:
            self._batch, self._made = batch, {}
        if what not in self._made:
            self._made[what] = make()
        return self._made[what]


class Painter:
    """Makes the pictures of a plan, range by range.

    With ``exposures`` it shares what is made of the same trajectory with painters for other sizes.
    """

    def __init__(self, plan: Plan, generator: Generator, exposures: Exposures | None = None):
        self.plan, self.generator = plan, generator
        self.feed = Feed(plan.trajectory, generator)
        self._exposures = exposures
        self._layer_colours: LayerColours | None = None

    @property
    def rough(self) -> bool:
        """Whether the generator is asked for rough pictures."""
        return self.plan.draft and self.generator.spec.rough and self.generator.device.type == "cpu"

    def paint(self, start: int, stop: int) -> Tensor:
        """Pictures of frames [start, stop), float [N, 3, H, W] in about [-1, 1]; with alpha, four channels."""
        pieces = list(self.pieces(start, stop))
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def pieces(self, start: int, stop: int) -> Iterator[Tensor]:
        """As :meth:`paint`, a few at a time where the film is much larger than what the generator makes."""
        plan, frame = self.plan, (self.plan.fmt.height, self.plan.fmt.width)
        size = made_size(self.generator.spec, frame, plan.fit)
        with self._memory(), torch.inference_mode():
            seen = self._seen(partial(self._made, start, stop, size), start, stop, size)
        for at in range(0, len(seen), plan.piece):
            with self._memory(), torch.inference_mode():
                piece = FIT[plan.fit](seen[at : at + plan.piece], frame)
            yield piece

    def _made(self, start: int, stop: int, size: tuple[int, int], transform: Tensor | None) -> Tensor:
        """What the generator makes of frames [start, stop) in a size, seen through a transform of its own."""
        plan, spec = self.plan, self.generator.spec
        inputs, noise, bends = self._once(start, stop, ("inputs",), lambda: self._fed(start, stop))
        asked = None if size == spec.size else size
        given: dict[str, Any] = {"noise": noise, "size": asked, "transform": transform, "bend": bends}
        moved = b"" if transform is None else transform.numpy().tobytes()

        def made(inputs: Inputs, region: int) -> Tensor:
            if plan.layer is not None:
                given["layer"] = plan.layer
            if self.rough:
                given["rough"] = True
            images = self._once(
                *(start, stop, ("images", asked, moved, plan.layer, region)),
                lambda: self.generator.synthesise(inputs, **given),
            )
            return in_colour(images, plan.fmt.alpha) if plan.layer is None else self._colours(plan.layer)(images)

        images = made(inputs, -1)
        for number, region in enumerate(() if spec.regional else inputs.regions):
            images = region.over(images, made(Inputs(region.w, inputs.psi), number))
        return images

    def _fed(self, start: int, stop: int) -> tuple[Inputs, Any, Any]:
        return self.feed.inputs(start, stop), self.feed.noise(start, stop), self.feed.bends(start, stop)

    def _once(self, start: int, stop: int, what: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        return make() if self._exposures is None else self._exposures.once((start, stop), what, make)

    def _seen(self, make: Callable[[Tensor | None], Tensor], start: int, stop: int, size: tuple[int, int]) -> Tensor:
        """The pictures that ``make`` makes of a ``size``, as the camera sees them: inside the model, or finished ones.

        The camera's unit is the part of the picture that the frame shows; what is cut off lies beside it.
        """
        plan, spec = self.plan, self.generator.spec
        camera = plan.trajectory.camera
        start, stop = plan.trajectory.own(start, stop)
        if camera is None or not camera.busy(start, stop):
            return make(None)
        shown = cut(size, (plan.fmt.height, plan.fmt.width)) if plan.fit in ("cover", "extend") else size
        images = None if camera.inside else make(None)

        def seen(smaller: bool) -> Tensor:
            maps = camera.maps(start, stop, shown[1] / shown[0], smaller)
            maps[:, :2, 2] *= shown[0] / (size[0] if images is not None else 2 * spec.unit(size))
            return make(torch.from_numpy(maps)) if images is None else moved(images, maps)

        larger = seen(False)
        return endless(larger, seen(True), camera.shares(start, stop)) if camera.endless else larger

    def _colours(self, layer: int) -> LayerColours:
        if self._layer_colours is None:
            self._layer_colours = LayerColours(self.generator, layer)
        return self._layer_colours

    @contextmanager
    def _memory(self) -> Iterator[None]:
        try:
            yield
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise self._too_large() from error
        except RuntimeError as error:
            short = "can't allocate memory" in str(error) or "not enough memory" in str(error)
            if short or (self.plan.device == "mps" and short_of_memory(error)):
                raise self._too_large() from error
            raise

    def _too_large(self) -> RenderError:
        size = f"{self.plan.fmt.width}x{self.plan.fmt.height}"
        hint = "Make video.size smaller, or close other programs."
        if (batch := self.plan.batch) > 1:
            what = f"{batch} pictures at a time, of frames of {size}, need more memory than there is"
            return TooManyError("rendering", what, hint, batch)
        return RenderError("rendering", f"a frame of {size} needs more memory than there is", hint)


def in_colour(images: Tensor, alpha: bool = False) -> Tensor:
    """Three channels: grey is repeated, and what is transparent lies over black; or four, to keep ``alpha``."""
    channels = images.shape[1]
    if alpha:
        return images if channels == 4 else torch.cat([images[:, :1].expand(-1, 3, -1, -1), images[:, 1:]], dim=1)
    if channels in (2, 4):
        opacity = (images[:, -1:].clamp(-1, 1) + 1) / 2
        images = (images[:, :-1] + 1) * opacity - 1
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def stretch(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample [N, C, h, w] to a size (H, W): bicubic, without aliasing where it shrinks."""
    if tuple(images.shape[2:]) == size:
        return images
    return functional.interpolate(images, size, mode="bicubic", antialias=True, align_corners=False)


def cut(size: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) of a picture of ``size`` that fill a frame."""
    scale = max(frame[0] / size[0], frame[1] / size[1])
    height, width = (min(n, max(1, round(side / scale))) for n, side in zip(size, frame, strict=True))
    return height, width


def cover(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Fill the size and cut off what stands out."""
    height, width = images.shape[2:]
    cut_height, cut_width = cut((height, width), size)
    top, left = (height - cut_height) // 2, (width - cut_width) // 2
    return stretch(images[:, :, top : top + cut_height, left : left + cut_width], size)


def contain(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Show the whole picture, with black beside it."""
    height, width = images.shape[2:]
    scale = min(size[0] / height, size[1] / width)
    inner = (min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale))))
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    beside = (left, size[1] - inner[1] - left, top, size[0] - inner[0] - top)
    return functional.pad(stretch(images, inner), beside, value=-1.0)


FIT = {"cover": cover, "contain": contain, "stretch": stretch, "extend": cover}
"""What is extended fills the frame already, up to the rounding of its size."""
