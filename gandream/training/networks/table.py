"""Which networks a family trains: a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from gandream.training.networks import base, biggan_deep, biggan_deep_config, biggan_deep_discriminator, dcgan, progan
from gandream.training.networks import stylegan2 as style
from gandream.training.settings import Settings

Pair = tuple[base.Generator, base.Discriminator]


def _stylegan2(settings: Settings) -> Pair:
    asked = dict(settings.network)
    channels = tuple((int(side), int(width)) for side, width in asked.pop("channels"))
    config = style.StyleGAN2Config(settings.resolution, len(settings.classes), channels=channels, **asked)
    return style.Generator(config), style.Discriminator(config)


def _biggan_deep(settings: Settings) -> Pair:
    asked = dict(settings.network)
    if asked.pop("small", False):
        config = biggan_deep_config.small(settings.resolution, len(settings.classes))
    else:
        config = biggan_deep_config.BigGANDeepConfig(settings.resolution, len(settings.classes), **asked)
    return biggan_deep.BigGANDeepGenerator(config), biggan_deep_discriminator.BigGANDeepDiscriminator(config)


def _progan(settings: Settings) -> Pair:
    config = progan.ProGANConfig(settings.resolution, classes=len(settings.classes), **settings.network)
    return progan.Generator(config), progan.Discriminator(config)


def _dcgan(settings: Settings) -> Pair:
    config = dcgan.DCGANConfig(settings.resolution, **settings.network)
    return dcgan.Generator(config), dcgan.Discriminator(config)


NETWORKS: Mapping[str, Callable[[Settings], Pair]] = {
    "stylegan2": _stylegan2,
    "biggan_deep": _biggan_deep,
    "progan": _progan,
    "dcgan": _dcgan,
}


def build(settings: Settings, device: torch.device) -> Pair:
    """Fresh networks of a training: weights are a function of its seed, and no one else's random numbers move."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        pair = NETWORKS[settings.family](settings)
    for network in pair:
        network.compute = torch.bfloat16 if settings.precision == "bfloat16" else torch.float32
        network.to(device)
    return pair
