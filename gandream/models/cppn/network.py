"""The CPPN as a ``Generator``: seeds to latents, latents to styles, styles to pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gandream.base.errors import CheckpointError, LatentError
from gandream.models.cppn import DEFAULT_SIZE
from gandream.models.cppn.field import Field, Folded
from gandream.models.cppn.palette import develop
from gandream.models.cppn.tiles import spread
from gandream.models.cppn.weights import UNITS, draw
from gandream.models.spec import Inputs, Spec

TILE_CPU = 4096
"""Points of a tile: two buffers of 33 rows are 1 MiB, which stays in the second-level cache."""
TILE_CUDA = 1 << 20
"""Two buffers of 132 MiB. Not yet measured."""
SOFTNESS = 0.25
ROWS = 256


class CPPN:
    """A pattern network; every picture size is native, and ``transform`` moves the camera without resampling."""

    def __init__(self, spec: Spec, seed: int, device: torch.device | None = None, dtype: torch.dtype | None = None):
        if dtype not in (None, torch.float32):
            raise CheckpointError(spec.name, f"pattern networks work in float32, not {dtype}", "Leave precision away.")
        self._spec, self._device = spec, torch.device(device or "cpu")
        drawn = draw(seed)

        def put(array: object) -> Tensor:
            return torch.as_tensor(array, dtype=torch.float32).to(self._device)

        self.mapping_in, self.mapping_out = put(drawn.mapping_in), put(drawn.mapping_out)
        self.style, self.style_base = put(drawn.style), put(drawn.style_base)
        self._w_avg = put(drawn.w_avg).expand(len(spec.layers), -1).contiguous()
        self.field = Field(put(drawn.first), put(drawn.hidden), put(drawn.readout), tuple(drawn.mirror.tolist()))

    @property
    def spec(self) -> Spec:
        """Facts about this network."""
        return self._spec

    @property
    def device(self) -> torch.device:
        """Where its pictures are made."""
        return self._device

    @property
    def w_avg(self) -> Tensor:
        """The centre of w [L, D]: exact, since the mapping is an odd function of z plus this."""
        return self._w_avg

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """z of each seed, float32 [N, D]."""
        return torch.as_tensor(self._spec.latents(seeds), dtype=torch.float32).to(self._device)

    @torch.inference_mode()
    def map(self, z: Tensor, classes: Tensor | None = None, psi: float | Tensor = 1.0) -> Inputs:
        """Map z [N, D] to w [N, L, D], truncated by psi, a number or [N].

        z is normalised softly: RMS 1 stays, far away it levels off at 1.12, and near zero it goes to zero, so that
        a straight line between two latents passes through calm pictures instead of a jump. Then w = w_avg +
        B tanh(A z), of about unit variance.
        """
        if classes is not None:
            raise LatentError(self._spec.name, "pattern networks have no classes, but one was given", "Leave it away.")
        z = z.to(self._device, torch.float32)
        if z.ndim != 2 or z.shape[1] != self._spec.latent_size:
            raise LatentError(
                self._spec.name, f"z has shape {list(z.shape)}, and [N, {self._spec.latent_size}] is wanted"
            )
        z = z * torch.sqrt((1 + SOFTNESS) / (z.square().mean(dim=1, keepdim=True) + SOFTNESS))
        w = _rowwise(torch.tanh(_rowwise(z, self.mapping_in) * 1.2), self.mapping_out * 1.5)
        psi = torch.as_tensor(psi, dtype=torch.float32, device=self._device).expand(z.shape[0])
        w = self._w_avg + psi[:, None, None] * w[:, None, :]
        return Inputs(w, psi)

    @torch.inference_mode()
    def synthesise(
        self,
        inputs: Inputs | Tensor,
        *,
        noise: str = "fixed",
        frames: Tensor | None = None,
        size: tuple[int, int] | None = None,
        transform: Tensor | None = None,
        bend: Sequence[object] = (),
    ) -> Tensor:
        """Pictures float32 [N, 3, H, W] in [-1, 1] of ``inputs`` (w [N, L, D]) at ``size`` (H, W; None: 512, 512).

        ``transform`` [N, 3, 3] (or [3, 3]) is an affine map of the plane: the picture shows at p what is at T p.
        p = (x, y) is centred, x to the right, y down, and 1 is half of the smaller side. Noise has no effect here.
        """
        if noise not in ("fixed", "off"):
            raise ValueError(f"{noise = }: 'fixed' or 'off' is wanted")
        if len(bend):
            raise ValueError("pattern networks can't be bent yet")
        w = (inputs.w if isinstance(inputs, Inputs) else inputs).to(self._device, torch.float32)
        if w.ndim != 3 or w.shape[1:] != self._w_avg.shape:
            raise LatentError(self._spec.name, f"w has shape {list(w.shape)}, not [N, {', '.join(map(str, self._w_avg.shape))}]")
        N, (H, W) = w.shape[0], size or DEFAULT_SIZE
        cameras = None
        if transform is not None:
            cameras = transform.to("cpu", torch.float32).expand(N, 3, 3)[:, :2].tolist()
        pictures = torch.empty(N, 3, H, W, device=self._device)
        flat = pictures.view(N, 3, H * W)
        folded: list[Folded | None] = [None] * N
        cpu = self._device.type == "cpu"
        tile = TILE_CPU if cpu else TILE_CUDA
        threads = torch.get_num_threads() if cpu else 1

        def fold(n: int, _: object) -> None:
            folded[n] = self._fold(w[n])

        def paint(job: tuple[int, int, int], scratch: tuple[Tensor, Tensor]) -> None:
            n, start, stop = job
            frame = folded[n]
            assert frame is not None
            x, y = _points(start, stop, H, W, self._device)
            if cameras is not None:
                (a, b, c), (d, e, f) = cameras[n]
                x, y = a * x + b * y + c, d * x + e * y + f
            flat[n, :, start:stop] = develop(self.field.evaluate(frame, x, y, scratch), frame.colours)

        jobs = [(n, start, min(start + tile, H * W)) for n in range(N) for start in range(0, H * W, tile)]
        spread(range(N), fold, lambda: None, threads)
        spread(jobs, paint, lambda: self.field.scratch(min(tile, H * W)), threads)
        return pictures

    def _fold(self, w: Tensor) -> Folded:
        """Fold one frame's w [L, D] into its network."""
        delta = w - self._w_avg
        style = self.style_base + torch.bmm(self.style, delta[:, :, None])[:, :, 0]
        energy = (0.6 + 0.4 * delta.square().mean(dim=1)).sqrt()
        return self.field.fold(style, energy)


def _rowwise(rows: Tensor, matrix: Tensor) -> Tensor:
    """matrix @ row for each row [N, D], in a way whose rounding does not depend on N (a matrix product's may)."""
    parts = [(part[:, None, :] * matrix).sum(dim=-1) for part in rows.split(ROWS)]
    return torch.cat(parts) if parts else rows


def _points(start: int, stop: int, H: int, W: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Coordinates x, y [P] of the centres of the pixels start..stop (row by row) of an H x W picture."""
    index = torch.arange(start, stop, device=device)
    unit = 2 / min(H, W)
    x = ((index % W).float() + (0.5 - W / 2)) * unit
    y = (torch.div(index, W, rounding_mode="floor").float() + (0.5 - H / 2)) * unit
    return x, y
