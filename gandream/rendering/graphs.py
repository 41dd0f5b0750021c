"""CUDA graphs: the calls of a generator recorded once for each shape, and then replayed by one launch.

A synthesis is some hundreds of kernels, each of which Python launches; small ones are done before the next is there.
A graph launches all of them at once, into the memory that they were recorded with (torch's notes on CUDA semantics,
"CUDA Graphs"; NVIDIA's programming guide, "CUDA Graphs"). So what a call is given is copied into the tensors that
it was recorded with, and what it gives is copied out of them.

Nothing that looks at numbers can be recorded: no prefix of layers that stay the same is found on a GPU, whether by
graphs or without them (``models.style.prefix``). Where batches are as large as on GPUs, the first layers are a small
part of the work, and to look is to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from gandream.models.spec import Generator, Inputs

if TYPE_CHECKING:
    from torch import Tensor

MOST = 6
"""Recorded calls that are kept: whole batches, and what is left at the ends of segments and scenes."""
WARM_UPS = 2
"""Calls on the stream that records, before it does: libraries choose and allocate in their first."""

NEVER = frozenset({"cppn"})
"""Families that bring numbers from the host in every call, which can't be recorded."""

Key: TypeAlias = tuple[Any, ...]
Replay: TypeAlias = Callable[[], None]


class Recorder(Protocol):
    """Records what a function launches."""

    def record(self, make: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        """What ``make`` gave, and what makes it again in the same place; RuntimeError where it can't be recorded."""
        ...


class CudaRecorder:
    """Records CUDA graphs that share their memory.

    They may, in whatever order they are replayed: each is given all that it needs before, and what it gives is copied
    at once, on the same stream; what earlier ones gave stays theirs as long as somebody holds it.
    """

    def __init__(self) -> None:
        self._pool: Any = None

    def record(self, make: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        """As ``torch.cuda.graph`` is documented: warmed up on a stream beside, and recorded there."""
        import torch

        before, beside = torch.cuda.current_stream(), torch.cuda.Stream()
        beside.wait_stream(before)
        with torch.cuda.stream(beside):
            for _ in range(WARM_UPS):
                make()
        before.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads wait for their copies meanwhile, which is no business of this one.
        with torch.cuda.graph(graph, pool=self._pool, stream=beside, capture_error_mode="thread_local"):
            made = make()
        if self._pool is None:
            self._pool = graph.pool()
        return made, graph.replay


class _Noise:
    """Stands in for a function of the noise: what that gives, in tensors that stay where they are."""

    def __init__(self, given: Callable[..., Tensor | None]):
        self.given = given
        self._asked: dict[tuple[int, int, int], tuple[Tensor | None, Tensor | None]] = {}
        """The model's own map, and ours, of each layer and size."""

    def __call__(self, layer: int, height: int, width: int, fixed: Tensor | None) -> Tensor | None:
        """As ``models.noise.LayerNoise``."""
        if (layer, height, width) not in self._asked:
            made = self.given(layer, height, width, fixed)
            self._asked[layer, height, width] = fixed, None if made is None else _own(made)
        return self._asked[layer, height, width][1]

    def fill(self, given: Callable[..., Tensor | None]) -> bool:
        """Make the noise of another call; False where it is of another kind, and nothing may be replayed."""
        for (layer, height, width), (fixed, ours) in self._asked.items():
            made = given(layer, height, width, fixed)
            if made is None or ours is None:
                if made is not ours:
                    return False
            elif made.shape != ours.shape:
                return False
            else:
                ours.copy_(made)
        return True


@dataclass
class _Take:
    """A recorded call: what it is given, what it gives, and how it is made again."""

    w: Tensor
    psi: Tensor | None
    noise: _Noise | None
    made: Tensor
    replay: Replay

    def again(self, w: Tensor, psi: Tensor | None, noise: Any) -> Tensor | None:
        """What the call gives for other inputs; None where their noise is of another kind."""
        if self.noise is not None and not self.noise.fill(noise):
            return None
        self.w.copy_(w)
        if self.psi is not None and psi is not None:
            self.psi.copy_(psi)
        self.replay()
        return self.made.clone()


class Replayed:
    """A generator whose calls are replayed where that can be; all else is its own.

    The first call of each shape is made as ever, which also makes ready what is made once; the second is recorded. What
    is bent, moved or made of regions differs from call to call in more than numbers, and is never recorded. Where
    recording fails, all goes on without it.
    """

    def __init__(self, generator: Generator, recorder: Recorder | None = None):
        self.generator, self.recorder = generator, recorder or CudaRecorder()
        self.spec, self.device = generator.spec, generator.device
        self.w_avg, self.class_centres = generator.w_avg, generator.class_centres
        self.replays = 0
        """How many calls were replayed."""
        self.failure = ""
        """Why nothing is recorded any more."""
        self._takes: dict[Key, _Take | None] = {}
        """By shape; None is one that was seen once."""
        self._size: tuple[int, int] | None = None

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed."""
        return self.generator.latents(seeds)

    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Map z to the inputs of each layer."""
        return self.generator.map(z, classes, psi)

    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: Any = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
    ) -> Tensor:
        """As the generator's own."""

        def make(inputs: Inputs | Tensor, noise: Any) -> Tensor:
            return self.generator.synthesise(
                inputs, noise=noise, size=size, transform=transform, bend=bend, layer=layer
            )

        given = inputs if isinstance(inputs, Inputs) else Inputs(inputs)
        if self.failure or given.regions or transform is not None or len(bend) or not len(given.w):
            return make(inputs, noise)
        self._keep(size)
        psi = given.psi
        kind = noise if isinstance(noise, str) else "function"
        key = (*given.w.shape, None if psi is None else tuple(psi.shape), kind, size, layer)
        if key not in self._takes:
            if len(self._takes) < MOST:
                self._takes[key] = None
            return make(inputs, noise)
        take = self._takes[key]
        if take is None:
            take = self._take(make, given, noise)
            if take is None:
                return make(inputs, noise)
            self._takes[key] = take
        made = take.again(given.w, psi, noise)
        if made is None:
            return make(inputs, noise)
        self.replays += 1
        return made

    def _keep(self, size: tuple[int, int] | None) -> None:
        """Let go of what was recorded in another size: the generator may let go of what that was made of."""
        if size != self._size:
            self._takes.clear()
            self._size = size

    def _take(self, make: Callable[[Any, Any], Tensor], given: Inputs, noise: Any) -> _Take | None:
        """Record a call; None where that can't be done."""
        w, psi = _own(given.w), None if given.psi is None else _own(given.psi)
        ours = None if isinstance(noise, str) else _Noise(noise)
        try:
            made, replay = self.recorder.record(lambda: make(Inputs(w, psi), noise if ours is None else ours))
        except (RuntimeError, NotImplementedError) as error:
            self.failure = str(error).partition("\n")[0] or type(error).__name__
            self._takes.clear()
            return None
        return _Take(w, psi, ours, made, replay)


def _own(x: Tensor) -> Tensor:
    """A copy that may be written to in any mode."""
    import torch

    with torch.inference_mode(False), torch.no_grad():
        return torch.empty(x.shape, dtype=x.dtype, device=x.device).copy_(x)


def replayed(generator: Generator, recorder: Recorder | None = None) -> Generator:
    """A generator on a GPU with its calls replayed; others, and one that is already, as they are."""
    if generator.device.type != "cuda" or generator.spec.family in NEVER or isinstance(generator, Replayed):
        return generator
    return Replayed(generator, recorder)
