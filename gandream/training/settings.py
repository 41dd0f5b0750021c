"""What a training is, resolved to plain values: they are written into its state, and a resumed run must have the same.

This module loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from typing import Any

FAMILIES = ("stylegan2", "biggan_deep", "progan", "dcgan")
CONFIGS = ("auto", "small")
AUGMENTED = ("none", "ada", "diffaugment")


@dataclass(frozen=True)
class Step:
    """A resolution of progressive growing (Karras et al. 2018, section 3); it fades in over its first images."""

    resolution: int
    fade: int
    images: int


@dataclass(frozen=True)
class Settings:
    """All that decides what is learnt. Lengths are in images of the data that were shown to the discriminator."""

    family: str
    resolution: int
    classes: tuple[str, ...]
    images: int
    """Where the training ends. It may change when it is resumed; growth, which follows from it, stays as it began."""
    seed: int
    network: Mapping[str, Any]
    """Arguments of the family's configuration."""
    loss: str
    """A row of ``losses.LOSSES``."""
    penalty: str
    """A row of ``penalties.PENALTIES``, or ``none``, as with spectral norm (Miyato et al. 2018)."""
    penalty_weight: float
    penalty_every: int
    """Steps from one to the next: lazy regularisation (Karras et al. 2020a, section 3.1)."""
    rate_generator: float
    rate_discriminator: float
    """Of Adam, before they fall."""
    betas: tuple[float, float]
    """Of Adam."""
    last_penalty_weight: float | None = None
    """The penalty's weight at the last resolution, once that has faded in; None: the same throughout."""
    cooling: float = 0.0
    """Share of the training, its end, in which both rates fall to ``growth.COOLED`` of what they were."""
    critics: int = 1
    """Steps of the discriminator for one of the generator."""
    path_length_every: int = 0
    """Steps from one path length regularisation to the next; 0: none."""
    augmentation: str = "none"
    """A row of ``augment.AUGMENTATIONS``."""
    growth: tuple[Step, ...] = ()
    """Resolutions before the last one."""
    last_fade: int = 0
    """Images that the last resolution fades in over."""
    batch: Mapping[str, int] = field(default_factory=dict)
    """Pictures in a step, by resolution."""
    ema: int = 10_000
    """Half-life of the averaged generator's weights, in images (Karras et al. 2018, section 4)."""
    ema_ramp: float = 0.05
    """The half-life is never longer than this share of the images so far (Karras et al. 2020b, appendix C)."""
    precision: str = "float32"
    """Type of the activations: float32 or bfloat16."""

    def batch_at(self, resolution: int) -> int:
        """Pictures in a step at a resolution."""
        return self.batch[str(resolution)]

    def penalty_weight_at(self, resolution: int, alpha: float) -> float:
        """The penalty's weight at a stage."""
        last = resolution == self.resolution and alpha >= 1 and self.last_penalty_weight is not None
        return self.last_penalty_weight if last and self.last_penalty_weight is not None else self.penalty_weight

    def grown_as(self, other: Mapping[str, Any]) -> Settings:
        """These, with the stages that a state began with."""
        return replace(self, growth=tuple(Step(**one) for one in other["growth"]), last_fade=other["last_fade"])

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """What a state's settings have different from these, but for where the training ends."""
        mine = jsonable(self.plain())
        # What a state of an older version says nothing of was as it is where nothing is said.
        other = {one.name: one.default for one in fields(self) if one.default is not MISSING} | dict(other)
        names = [one.name for one in fields(self) if one.name not in ("images", "growth", "last_fade")]
        return [
            f"{name}: {other.get(name)} there, {mine[name]} here" for name in names if mine[name] != other.get(name)
        ]


def jsonable(value: Any) -> Any:
    """Tuples as lists, all the way down: what comes back out of JSON."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(one) for key, one in value.items()}
    return [jsonable(one) for one in value] if isinstance(value, list | tuple) else value
