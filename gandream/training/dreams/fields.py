"""Fields over the picture plane: coordinates, smooth noise, and the small functions that painters shape them with.

Places are x, y in [-1, 1], y down. A field is float32 [N, R, R] and a function of place alone, so a picture at 64 and
at 256 pixels differs in nothing but sampling.

Noise is a cubic B-spline surface over a lattice of normal numbers: as smooth as gradient noise (Perlin 1985), and
separable. On a grid that nothing has bent it costs two small matrix products; elsewhere all octaves together are one
look-up in a texture made in the same way.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from gandream.training.dreams.draws import Draws

EXTENT = 1.5
"""Textures cover [-EXTENT, EXTENT] in both directions and are mirrored beyond."""
_SPREAD = 0.6924
"""What a cubic B-spline leaves of a deviation, along one axis: root mean over a cell of its squared weights' sum."""


def grid(resolution: int, device: str | torch.device = "cpu") -> tuple[Tensor, Tensor]:
    """Pixel centres x, y in [-1, 1], [1, R, R] each (views of one row and one column)."""
    line = (torch.arange(resolution, dtype=torch.float32, device=device) + 0.5) * (2.0 / resolution) - 1.0
    return line.expand(1, resolution, resolution), line[:, None].expand(1, resolution, resolution)


def pixel(x: Tensor) -> float:
    """Distance of two neighbouring pixels of a picture as wide as ``x``."""
    return 2.0 / x.shape[-1]


def per_picture(value: Tensor) -> Tensor:
    """[N] -> [N, 1, 1], to go with fields."""
    return value[:, None, None]


def smoothstep(low: float | Tensor, high: float | Tensor, value: Tensor) -> Tensor:
    """0 below ``low``, 1 above ``high``, a smooth cubic between (falls where low > high)."""
    t = ((value - low) / (high - low)).clamp_(0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def mix(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """From a (share 0) to b (share 1)."""
    return torch.lerp(a, b, share)


def rotate(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates in a frame turned by ``angle`` [N] (radians): two fields [N, R, R]."""
    cosine, sine = per_picture(torch.cos(angle)), per_picture(torch.sin(angle))
    return x * cosine + y * sine, y * cosine - x * sine


def noise(draws: Draws, x: Tensor, y: Tensor, frequency: float) -> Tensor:
    """Smooth noise of deviation about 1 (rarely beyond 2.5), ``frequency`` lattice cells over [-1, 1]; [N, R, R]."""
    return fbm(draws, x, y, 1, frequency)


def fbm(draws: Draws, x: Tensor, y: Tensor, octaves: int, frequency: float, gain: float = 0.5) -> Tensor:
    """Noise of several octaves (each twice as fine, ``gain`` as strong), together of deviation about 1; [N, R, R]."""
    return fields(draws, x, y, 1, octaves, frequency, gain)[:, 0]


def ridged(draws: Draws, x: Tensor, y: Tensor, octaves: int, frequency: float, gain: float = 0.5) -> Tensor:
    """1 on thin crests where noise crosses zero, falling to 0 on either side; [N, R, R] in (0, 1]."""
    return torch.exp(fbm(draws, x, y, octaves, frequency, gain).abs_().mul_(-2.5))


def fields(
    draws: Draws, x: Tensor, y: Tensor, channels: int, octaves: int, frequency: float, gain: float = 0.5
) -> Tensor:
    """``channels`` independent noises at once, [N, channels, R, R]; see ``fbm``. Cheaper than one call for each."""
    if x.stride(-2) == 0 and y.stride(-1) == 0 and x.shape[-1] > 1:  # the grid as it came: separable
        return _surface(draws, x[0, 0], y[0, :, 0], channels, octaves, frequency, gain)
    size = min(256, max(48, int(6 * EXTENT * frequency * 2 ** (octaves - 1))))
    line = torch.linspace(-EXTENT, EXTENT, size, device=x.device)
    return sample(_surface(draws, line, line, channels, octaves, frequency, gain), x, y)


def profile(draws: Draws, x: Tensor, octaves: int, frequency: float, gain: float = 0.5) -> Tensor:
    """Noise along x alone, such as a skyline, for x (the grid) [1, R, R]: [N, 1, R] of deviation about 1."""
    line = x[0, 0]
    total = line.new_zeros((draws.count, 1, line.shape[0]))
    for octave in range(octaves):
        scale = frequency * 2.0**octave
        cells = math.ceil(EXTENT * scale) + 4
        lattice = draws.normal(1, cells).mul_(gain**octave / _SPREAD)
        total += lattice @ _spline(line, scale, draws.uniform(), cells).mT
    return total.mul_(1.0 / math.sqrt(sum(gain ** (2 * octave) for octave in range(octaves))))


def texture(draws: Draws, channels: int, octaves: int, frequency: float, gain: float = 0.5, size: int = 128) -> Tensor:
    """A texture [N, channels, size, size] over [-EXTENT, EXTENT] to be looked up with ``sample`` at several places."""
    line = torch.linspace(-EXTENT, EXTENT, size, device=draws.device)
    return _surface(draws, line, line, channels, octaves, frequency, gain)


def sample(surface: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A texture [N, C, S, S] at places x, y [N or 1, R, R] -> [N, C, R, R], linear between its points."""
    number, shape = surface.shape[0], torch.broadcast_shapes(x.shape, y.shape)
    places = torch.empty((number, *shape[1:], 2), dtype=torch.float32, device=surface.device)
    torch.mul(x, 1.0 / EXTENT, out=places[..., 0]) if x.shape[0] == number else places[..., 0].copy_(x / EXTENT)
    torch.mul(y, 1.0 / EXTENT, out=places[..., 1]) if y.shape[0] == number else places[..., 1].copy_(y / EXTENT)
    return functional.grid_sample(surface, places, mode="bilinear", padding_mode="reflection", align_corners=True)


def _surface(
    draws: Draws, across: Tensor, down: Tensor, channels: int, octaves: int, frequency: float, gain: float
) -> Tensor:
    total: Tensor | None = None
    power = 0.0
    for octave in range(octaves):
        strength, scale = gain**octave, frequency * 2.0**octave
        power += strength * strength
        cells = math.ceil(EXTENT * scale) + 4
        # Drawn cell by cell from the corner: the same lattice whatever places are asked for.
        lattice = draws.normal(channels, cells, cells).mul_(strength / _SPREAD**2)
        shift = draws.uniform(0.0, 1.0, 2)
        layer = (
            _spline(down, scale, shift[:, 1], cells)[:, None]
            @ lattice
            @ _spline(across, scale, shift[:, 0], cells)[:, None].mT
        )
        total = layer if total is None else total.add_(layer)
    assert total is not None
    return total.mul_(1.0 / math.sqrt(power))


def _spline(line: Tensor, scale: float, shift: Tensor, cells: int) -> Tensor:
    """Cubic B-spline weights [N, P, cells] of lattice points at places ``line`` [P], moved by ``shift`` [N]."""
    place = (line + EXTENT) * (scale / 2.0) + 1.0 + shift[:, None]
    points = torch.arange(cells, dtype=torch.float32, device=line.device)
    distance = (place[..., None] - points).abs_()
    far = (2.0 - distance).clamp_(min=0.0)
    near = (1.0 - distance).clamp_(min=0.0)
    return (far * far * far - 4.0 * near * near * near) / 6.0


def slopes(height: Tensor) -> tuple[Tensor, Tensor]:
    """Derivatives of a field [N, R, R] across and down, by central differences (one-sided at the rim)."""
    step = pixel(height)
    across, down = torch.empty_like(height), torch.empty_like(height)
    torch.sub(height[:, :, 2:], height[:, :, :-2], out=across[:, :, 1:-1]).mul_(0.5 / step)
    torch.sub(height[:, 2:], height[:, :-2], out=down[:, 1:-1]).mul_(0.5 / step)
    torch.sub(height[:, :, 1], height[:, :, 0], out=across[:, :, 0]).mul_(1.0 / step)
    torch.sub(height[:, :, -1], height[:, :, -2], out=across[:, :, -1]).mul_(1.0 / step)
    torch.sub(height[:, 1], height[:, 0], out=down[:, 0]).mul_(1.0 / step)
    torch.sub(height[:, -1], height[:, -2], out=down[:, -1]).mul_(1.0 / step)
    return across, down


def spots(x: Tensor, y: Tensor, centre_x: Tensor, centre_y: Tensor, radius: Tensor, strength: Tensor) -> Tensor:
    """Sum of K Gaussian spots, each argument but x, y (the grid) [N, K]; [N, R, R]. Separable, so cheap."""
    scale = (-1.0 / (radius * radius))[..., None]
    across = ((x[0, 0] - centre_x[..., None]) ** 2 * scale).exp_()
    down = ((y[0, :, 0] - centre_y[..., None]) ** 2 * scale).exp_().mul_(strength[..., None])
    return down.mT @ across


def glow(colour: Tensor, field: Tensor) -> Tensor:
    """Light of a colour [N, 3] as strong as a field [N, R, R]: [N, 3, R, R]."""
    return colour[:, :, None, None] * field[:, None]
