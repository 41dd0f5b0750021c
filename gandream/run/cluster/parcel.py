"""What workers need of a film: its plan, which is plain data, and its models; sent to each node once."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandream.base.assets import folder as assets
from gandream.base.errors import RenderError
from gandream.models.precision import Precision, dtype_of
from gandream.models.registry import FROM_FILES, file_of, load_generator
from gandream.models.spec import Spec
from gandream.recipe.recipe import Recipe
from gandream.rendering.plan import Plan
from gandream.rendering.reel import Reel
from gandream.run.cluster.cargo import Get, Sent, brought, sent
from gandream.video.format import VideoFormat
from gandream.video.pictures import PictureFormat

if TYPE_CHECKING:
    from gandream.models.spec import Generator


@dataclass(frozen=True)
class Model:
    """A model of the reels: what it is called, or the files it is in, and what is said of it in the keys."""

    word: str
    files: tuple[Sent, ...]
    """The model's own, and those beside it that it may want; none of what is drawn from a seed or ships with us."""
    fingerprint: str
    precision: Precision


@dataclass(frozen=True)
class Parcel:
    """For workers. References into the object store stand in it where Ray has one."""

    number: int
    """Counts what one driver sends."""
    reels: Any
    """The pickled reels, bytes."""
    formats: tuple[VideoFormat | PictureFormat, ...]
    """Of each output: a film's, or that of its pictures."""
    models: tuple[Model, ...]
    contents: Mapping[str, Any]
    """Files by their SHA-256, uint8 [n]."""


def models_of(recipes: Sequence[Recipe], reel: Reel) -> tuple[Model, ...]:
    """The models of a reel, by their numbers; of a film of scenes there is a recipe for each."""
    plans = dict[int, Plan]()
    for shot in reel.shots:
        plans.setdefault(shot.model, shot.plan)
    made = []
    for number in range(max(plans) + 1):
        model, plan = recipes[number].model, plans.get(number)
        if plan is None:  # of a scene that isn't shown in this range
            made.append(Model(model.written, (), "", "float32"))
            continue
        made.append(_model(model.written, model.folder, plan.trajectory.spec, plan.precision))
    return tuple(made)


def _model(word: str, base: Path | None, spec: Spec, precision: Precision) -> Model:
    path = file_of(word, base)
    if path is None:
        return Model(word, (), spec.fingerprint, precision)
    if path.parent == assets() / "models":
        return Model(f"bundled:{path.stem}", (), spec.fingerprint, precision)
    besides = {getattr(family.open(), "BESIDE", "") for family in FROM_FILES.values()} - {"", path.name}
    there = [file for name in sorted(besides) if (file := path.with_name(name)).is_file()]
    return Model(word, (sent(path), *map(sent, there)), spec.fingerprint, precision)


def load_model(model: Model, device: str, get: Get) -> Generator:
    """Load one on a node; RenderError where it isn't the model that the film was planned with."""
    word = str(brought(model.files, get)) if model.files else model.word
    made = load_generator(word, device, dtype_of(model.precision))
    if made.spec.fingerprint != model.fingerprint:
        problem = "this worker has another model of that name than the driver"
        raise RenderError(model.word, problem, "Is the same gandream installed on all machines?")
    return made


def pack(reels: Sequence[Reel]) -> tuple[bytes, list[Sent]]:
    """Reels as bytes, and the files that they name."""
    files: dict[str, Sent] = {}
    stream = io.BytesIO()
    _pickler(stream, files).dump(tuple(reels))
    return stream.getvalue(), list(files.values())


def unpack(data: bytes, get: Get) -> tuple[Reel, ...]:
    """What :func:`pack` made; files are brought here, by content. For bytes of one's own driver alone."""
    return _Unpickler(data, get).load()


def _pickler(stream: io.BytesIO, files: dict[str, Sent]) -> Any:
    # Functions that a plan may hold are written as what they are.
    from ray.cloudpickle import CloudPickler  # pyright: ignore[reportAttributeAccessIssue, reportPrivateImportUsage]

    class Pickler(CloudPickler):
        def persistent_id(self, obj: Any) -> Any:
            """Paths of files are what differs between machines."""
            if not isinstance(obj, Path) or not obj.is_file():
                return None
            file = sent(obj)
            files[file.sha256] = file
            return file

    return Pickler(stream)


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, get: Get):
        super().__init__(io.BytesIO(data))
        self._get = get

    def persistent_load(self, pid: Any) -> Path:
        return brought([pid], self._get)


def cargo_of(models: Iterable[Model], files: Iterable[Sent], put: Callable[[Sent], Any]) -> dict[str, Any]:
    """References to the content of everything that is sent."""
    every = {file.sha256: file for file in files}
    every |= {file.sha256: file for model in models for file in model.files}
    return {sha256: put(file) for sha256, file in every.items()}
