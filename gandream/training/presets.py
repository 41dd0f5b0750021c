"""From what a person asks for to settings: each family's losses, rates and sizes, as its paper has them or smaller.

``small`` is what a machine without a GPU can train, and grows from small resolutions whatever the family; ``auto``
takes it on such a machine, and sizes near the papers' on a GPU. This module loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gandream.base.errors import TrainingError, did_you_mean, listed
from gandream.training.settings import AUGMENTED, CONFIGS, FAMILIES, Settings, Step

SMALLEST, LARGEST = 16, 1024


class Asked(NamedTuple):
    """What a person asked for."""

    family: str
    resolution: int
    classes: tuple[str, ...]
    images: int
    config: str = "auto"
    seed: int = 0
    augmentation: str = ""
    """Empty: ADA where there are few pictures."""
    pictures: int | None = None
    """How many there are to learn from; None: endless."""
    precision: str = "float32"
    gpu: bool = False


FEW = 50_000
"""Below this many pictures a discriminator learns them by heart (Karras et al. 2020b, figure 1)."""
STAGES = {16: 50_000, 32: 100_000, 64: 250_000, 128: 500_000, 256: 800_000, 512: 800_000}
"""Images that each resolution is trained on before the next one, where a family grows; 600 000 to 800 000 in the
paper (Karras et al. 2018, appendix A.1), fewer where pictures are small and soon learnt."""
FADING = 0.3
"""Share of a stage in which it fades in, and of the last one, 30 000 images."""
LAST_FADE = 30_000


def settings(asked: Asked) -> Settings:
    """Resolve everything; TrainingError where it can't be."""
    for option, word, known in (
        ("family", asked.family, FAMILIES),
        ("config", asked.config, CONFIGS),
        ("augment", asked.augmentation or "none", AUGMENTED),
    ):
        if word not in known:
            hint = f"{did_you_mean(word, known)} There is {listed(known)}.".strip()
            raise TrainingError(f"--{option} {word}", "there is nothing of this name", hint)
    resolution = asked.resolution
    if not SMALLEST <= resolution <= LARGEST or resolution & (resolution - 1):
        raise TrainingError(
            f"--resolution {resolution}",
            f"the side of the pictures in pixels is a power of two, {SMALLEST} to {LARGEST}",
            f"The nearest is {_nearest(resolution)}.",
        )
    small = asked.config == "small" or not asked.gpu
    return PRESETS[asked.family](asked, small)


def _nearest(resolution: int) -> int:
    return min((2**power for power in range(4, 11)), key=lambda one: abs(one - resolution))


def _common(asked: Asked, small: bool, grows: bool, first: int = 16) -> dict[str, Any]:
    """What does not depend on the family."""
    few = asked.pictures is not None and asked.pictures < FEW
    sizes = [2**power for power in range(2, 11) if 2**power <= asked.resolution]
    before = [one for one in sizes[:-1] if one >= first and grows]
    # In a short training the smaller sizes get half of it in all, so that the last one is reached whatever happens.
    scale = min(1.0, asked.images / 2 / max(sum(STAGES[one] for one in before), 1))
    steps = [
        Step(one, 0 if one == first else int(STAGES[one] * scale * FADING), int(STAGES[one] * scale)) for one in before
    ]
    return {
        "family": asked.family,
        "resolution": asked.resolution,
        "classes": asked.classes,
        "images": asked.images,
        "seed": asked.seed,
        "precision": asked.precision,
        # ADA judges by the sign of logits, which says nothing with the Wasserstein loss.
        "augmentation": asked.augmentation
        or (("diffaugment" if asked.family == "progan" else "ada") if few else "none"),
        "growth": tuple(steps),
        "last_fade": int(LAST_FADE * scale) if steps else 0,
        "batch": {str(one): _batch(one, small) for one in sizes},
    }


def _batch(resolution: int, small: bool) -> int:
    """Pictures in a step: 32 as in the papers, more or fewer as they fit a GPU."""
    if small:
        return 32 if resolution <= 128 else 16
    return 64 if resolution <= 64 else 32 if resolution <= 512 else 16


def _stylegan2(asked: Asked, small: bool) -> Settings:
    """Karras et al. 2020a, appendix B; R1's weight is 10 for 1024 x 1024 and less for fewer pixels.

    The small one has R1's weight of 10 while it grows, as StyleGAN had (2019, appendix C), and 1 at the last size,
    where 10 kept the discriminator blind to detail; rates of 0.004, which fall at the end; style mixing in a tenth of
    the pictures; neither noise nor path lengths. These come from a few short runs of one seed, not from a comparison
    of each.
    """
    size = 128 if small else 512
    base, most, least = (2048, 192, 32) if small else (16384 if asked.resolution < 512 else 32768, 512, 32)
    sizes = [2**power for power in range(2, 11) if 2**power <= asked.resolution]
    return Settings(
        **_common(asked, small, grows=small),
        network={
            "latent_size": size,
            "w_size": size,
            "mapping_layers": 4 if small else 8,
            "channels": [[one, max(least, min(most, base // one))] for one in sizes],
            "mixing": 0.1 if small else 0.9,
            # In a short training the mapping would hardly move at the paper's pace. Noise seemed to run ahead of the
            # rest there, and shows as grain that stands still in a film.
            "mapping_rate": 0.1 if small else 0.01,
            "noise_rate": 0.0 if small else 1.0,
        },
        loss="non_saturating",
        penalty="r1",
        penalty_weight=10.0 if small else max(1.0, 1e-5 * asked.resolution**2),
        last_penalty_weight=1.0 if small else None,
        cooling=0.4 if small else 0.0,
        ema=20_000 if small else 10_000,
        penalty_every=16,
        path_length_every=0 if small else 4,
        rate_generator=0.004 if small else 0.0025,
        rate_discriminator=0.004 if small else 0.0025,
        betas=(0.0, 0.99),
    )


def _biggan_deep(asked: Asked, small: bool) -> Settings:
    """Brock et al. 2019, appendix C: hinge loss, two steps of the discriminator for one of the generator.

    Rates are 5e-5 and 2e-4 at 128 x 128, and 2.5e-5 for both above. The small one learns at 2e-4 in both networks, with
    one step each: at 4e-4 its discriminator ran away at 64 x 64, and quality and variety fell. Its average is over more
    images than the others': a long one matters most where batches are small.
    """
    if asked.resolution > 512:
        raise TrainingError(
            f"--resolution {asked.resolution}", "a BigGAN-deep is for pictures of 16 to 512 pixels",
            "For larger ones take --family stylegan2.",
        )  # fmt: skip
    large = asked.resolution > 128
    return Settings(
        **_common(asked, small, grows=small),
        network={"small": True} if small else {"width": 128 if asked.resolution >= 256 else 64},
        loss="hinge",
        penalty="none",
        penalty_weight=0.0,
        penalty_every=1,
        critics=1 if small else 2,
        rate_generator=2e-4 if small else 2.5e-5 if large else 5e-5,
        rate_discriminator=2e-4 if small else 2.5e-5 if large else 2e-4,
        ema=30_000 if small else 10_000,
        ema_ramp=0.1 if small else 0.05,
        betas=(0.0, 0.999),
    )


def _progan(asked: Asked, small: bool) -> Settings:
    """Karras et al. 2018, appendix A.1."""
    return Settings(
        **_common(asked, small, grows=True),
        network={"latent_size": 128, "channel_base": 2048, "channel_max": 128} if small else {},
        loss="wasserstein",
        penalty="one_lipschitz",
        penalty_weight=10.0,
        penalty_every=1,
        rate_generator=0.001,
        rate_discriminator=0.001,
        betas=(0.0, 0.99),
    )


def _dcgan(asked: Asked, small: bool) -> Settings:
    """Radford et al. 2016, section 4."""
    if asked.resolution > 128:
        raise TrainingError(
            f"--resolution {asked.resolution}", "a DCGAN is for pictures of 16 to 128 pixels",
            "For larger ones take --family stylegan2.",
        )  # fmt: skip
    return Settings(
        **{**_common(asked, small, grows=False), "classes": ()},
        network={"channels": 32 if small else 64},
        loss="non_saturating",
        penalty="none",
        penalty_weight=0.0,
        penalty_every=1,
        rate_generator=0.0002,
        rate_discriminator=0.0002,
        betas=(0.5, 0.999),
    )


PRESETS: Mapping[str, Callable[[Asked, bool], Settings]] = {
    "stylegan2": _stylegan2,
    "biggan_deep": _biggan_deep,
    "progan": _progan,
    "dcgan": _dcgan,
}
"""A row for each family that can be trained."""
