"""The CPPN as a ``Generator``: seeds to latents, latents to styles, styles to pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.bending import bent
from gandream.models.cppn import DEFAULT_SIZE
from gandream.models.cppn.field import Field, Folded, Scratch
from gandream.models.cppn.palette import develop
from gandream.models.cppn.rough import can_be_rough, finer
from gandream.models.cppn.tiles import spread
from gandream.models.cppn.weights import FIELDS, UNITS, draw
from gandream.models.spec import Inputs, Spec

TILE_CPU = 16384
"""Points of a tile: short enough for the second-level cache, long enough that threads seldom meet at Python's lock."""
TILE_CUDA = 1 << 20
"""Two buffers of 132 MiB. Not yet measured."""
SOFTNESS = 0.25
"""Mean square of z below which its normalisation lets go; 0 would be StyleGAN's."""
ROWS = 256
FOLDED = 32
"""Frames that are folded at once, at most: 140 KB each, a few times over."""


class CPPN:
    """A pattern network; every picture size is native, and ``transform`` moves the camera without resampling."""

    def __init__(self, spec: Spec, seed: int, device: torch.device | None = None, dtype: torch.dtype | None = None):
        if dtype not in (None, torch.float32):
            raise CheckpointError(spec.name, f"pattern networks work in float32, not {dtype}", "Leave precision out.")
        self.spec, self.device = spec, torch.device(device or "cpu")
        drawn = draw(seed)

        def put(array: object) -> Tensor:
            return torch.as_tensor(array, dtype=torch.float32).to(self.device)

        self.mapping_in, self.mapping_out = put(drawn.mapping_in), put(drawn.mapping_out)
        self.style, self.style_base = put(drawn.style), put(drawn.style_base)
        self.w_avg = put(drawn.w_avg).expand(len(spec.layers), -1).contiguous()
        self.class_centres: Tensor | None = None
        self.field = Field(put(drawn.first), put(drawn.hidden), put(drawn.readout), put(drawn.mirror), drawn.hue)

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]."""
        return torch.as_tensor(self.spec.latents(seeds), dtype=torch.float32).to(self.device)

    @torch.no_grad()
    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Map z [N, D] to w [N, L, D], truncated by psi, a number or [N].

        z is normalised softly: RMS 1 stays, far away it levels off at 1.12, and near zero it goes to zero, so that
        a straight line between two latents passes through calm pictures instead of a jump. Then w = w_avg +
        B tanh(A z), whose second term has about unit variance.
        """
        if classes is not None:
            raise LatentError(self.spec.name, "pattern networks have no classes, but one was given", "Leave it out.")
        z = z.to(self.device, torch.float32)
        if z.ndim != 2 or z.shape[1] != self.spec.latent_size:
            raise LatentError(
                self.spec.name, f"z has shape {list(z.shape)}, and [N, {self.spec.latent_size}] is wanted"
            )
        z = z * torch.sqrt((1 + SOFTNESS) / (z.square().mean(dim=1, keepdim=True) + SOFTNESS))
        w = _rowwise(torch.tanh(_rowwise(z, self.mapping_in)), self.mapping_out)
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self.device).expand(z.shape[0])
        w = self.w_avg + psi[:, None, None] * w[:, None, :]
        return Inputs(w, psi)

    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: str = "fixed",
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
        layer: int | None = None,
        rough: bool = False,
    ) -> Tensor:
        """Pictures float32 [N, 3, H, W] in [-1, 1] of ``inputs`` (w [N, L, D]) at ``size`` (H, W; None: 512, 512).

        ``transform`` [N, 3, 3] (or [3, 3]) is an affine map of the plane: the picture shows at p what is at T p.
        p = (x, y) is centred, x to the right, y down, and 1 is half of the smaller side. Noise has no effect here.
        With ``layer``, what that hidden layer makes of the plane instead: [N, UNITS, H, W]. A picture that is bent is
        made in one piece, which takes 1.1 KB for each of its pixels. ``rough`` pictures, for drafts, are made of a
        quarter of the points where that can be (``rough.py``).
        """
        if noise not in ("fixed", "off"):
            raise ValueError(f"{noise = }: 'fixed' or 'off' is wanted")
        if layer is not None and not 0 <= layer < len(self.spec.shown):
            raise ValueError(f"{layer = }: its hidden layers are 0 to {len(self.spec.shown) - 1}")
        w = (inputs.w if isinstance(inputs, Inputs) else inputs).to(self.device, torch.float32)
        if w.ndim != 3 or w.shape[1:] != self.w_avg.shape:
            wanted = ["N", *self.w_avg.shape]
            raise LatentError(self.spec.name, f"w has shape {list(w.shape)}, and {wanted} is wanted")
        N, (H, W) = w.shape[0], size or DEFAULT_SIZE
        if H < 1 or W < 1:
            raise ValueError(f"{size = }: height and width must be positive")
        places, bends = self._places(transform, N), bent(self.spec, bend, N)
        rough = rough and layer is None and not bends and can_be_rough((H, W))
        H, W = (H // 2, W // 2) if rough else (H, W)
        cpu = self.device.type == "cpu"
        threads = torch.get_num_threads() if cpu and not bends else 1
        rows = H if bends else min(max(1, (TILE_CPU if cpu else TILE_CUDA) // W), H)
        plane = _plane(rows, H, W, self.device)
        channels = FIELDS + 1 if rough else 3 if layer is None else UNITS
        pictures = torch.empty(N, channels, H, W, device=self.device)
        flat = pictures.view(N, pictures.shape[1], H * W)
        folded: dict[int, Folded] = {}
        at_once = min(math.ceil(N / threads), FOLDED)

        def fold(first: int, _: None) -> None:
            folded.update(enumerate(self._fold(w[first : first + at_once]), first))

        def hook(n: int) -> Callable[[int, Tensor], None] | None:
            mine = bends.of(n)

            def bend_one(number: int, x: Tensor) -> None:
                whole = x.view(1, UNITS, H, W)
                if (made := mine(number, whole)) is not whole:
                    whole.copy_(made)

            return bend_one if mine else None

        def paint(job: tuple[int, int], scratch: Scratch) -> None:
            n, top = job
            points = min(rows, H - top) * W
            part = scratch.part(points)
            # A tile is the first one moved down, so coordinates are made once; the move folds into the camera's.
            place = places[n].clone()
            place[:, 2] += place[:, 1] * (top * 2 / min(H, W))
            fields = self.field.evaluate(folded[n], place, plane[:, :points], part, layer, hook(n))
            out = flat[n, :, top * W : top * W + points]
            if layer is None and not rough:
                develop(fields, folded[n].colours, out=out)
            else:
                out.copy_(fields)

        jobs = [(n, top) for n in range(N) for top in range(0, H, rows)]
        spread(range(0, N, at_once or 1), fold, lambda: None, threads)
        spread(jobs, paint, lambda: Scratch.make(rows * W, self.device), threads)
        return finer(pictures, folded, threads) if rough else pictures

    def _places(self, transform: Tensor | None, N: int) -> Tensor:
        """What each frame's first layer makes of a point (x, y, 1): [N, 4, 3]."""
        if transform is None:
            return self.field.place.expand(N, 4, 3)
        transform = transform.to(self.device, torch.float32)
        if transform.shape[-2:] != (3, 3) or transform.ndim > 3 or transform.numel() not in (9, 9 * N):
            raise ValueError(f"transform has shape {list(transform.shape)}, and [{N}, 3, 3] is wanted")
        place, (top, middle, bottom) = self.field.place, transform.expand(N, 3, 3)[:, None].unbind(dim=2)
        return place[:, 0:1] * top + place[:, 1:2] * middle + place[:, 2:3] * bottom

    def _fold(self, w: Tensor) -> list[Folded]:
        """Fold frames' w [N, L, D] into their networks."""
        delta = w - self.w_avg
        style = torch.stack([self.style_base + torch.bmm(self.style, one[:, :, None])[:, :, 0] for one in delta])
        # Calm near the centre, 1 at a typical distance from it, and never much more, or far pushes would turn to noise.
        distance = delta.square().mean(dim=2)
        energy = (0.6 + 0.8 * distance / (1 + distance)).sqrt()
        return self.field.fold(style, energy)


def _rowwise(rows: Tensor, matrix: Tensor) -> Tensor:
    """matrix @ row for each row [N, D], in a way whose rounding does not depend on N (a matrix product's may)."""
    parts = [(part[:, None, :] * matrix).sum(dim=-1) for part in rows.split(ROWS)]
    return torch.cat(parts) if parts else rows


def _plane(rows: int, H: int, W: int, device: torch.device) -> Tensor:
    """Points (x, y, 1) [3, rows * W] of the centres of the first rows' pixels of an H x W picture."""
    unit = 2 / min(H, W)
    x = (torch.arange(W, device=device, dtype=torch.float32) + (0.5 - W / 2)) * unit
    y = (torch.arange(rows, device=device, dtype=torch.float32) + (0.5 - H / 2)) * unit
    return torch.stack([x.repeat(rows), y.repeat_interleave(W), torch.ones(rows * W, device=device)])
