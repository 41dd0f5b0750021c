"""The training loop's one step, for every family: discriminator, generator, averages. Its state can be saved whole.

Everything that is drawn in a step comes from a generator seeded with (seed, step), so a training that was interrupted
takes the same steps as one that was not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gandream.base.seeds import named_seed
from gandream.training import growth
from gandream.training.augment import AUGMENTATIONS, Controller
from gandream.training.data import Data
from gandream.training.losses import LOSSES
from gandream.training.networks.base import Stage
from gandream.training.networks.stylegan2 import Generator as StyleGAN2
from gandream.training.networks.table import build
from gandream.training.penalties import PENALTIES, path_length
from gandream.training.settings import Settings
from gandream.training.state import moments, restore_moments

PATH_LENGTH_WEIGHT = 2.0
"""Karras et al. 2020a, appendix B; here on half of the batch."""


class Learner:
    """Networks, optimisers and counters of one training."""

    def __init__(self, settings: Settings, device: torch.device, *, compiled: bool = False):
        self.settings, self.device = settings, device
        self.generator, self.discriminator = build(settings, device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.loss, self.penalty = LOSSES[settings.loss], PENALTIES.get(settings.penalty)
        self.augment = AUGMENTATIONS[settings.augmentation]
        self.controller = Controller(p=0.0 if settings.augmentation == "ada" else 1.0)
        self._compiled = torch.compile(self.discriminator, dynamic=False) if compiled else self.discriminator
        self.steps, self.images = 0, 0
        self.path_mean = torch.zeros((), device=device)
        lazy = settings.penalty_every if self.penalty is not None and settings.penalty_every > 1 else 0
        self.for_discriminator = self._adam(self.discriminator, settings.rate_discriminator, lazy)
        self.for_generator = self._adam(self.generator, settings.rate_generator, settings.path_length_every)

    def _adam(self, network: nn.Module, rate: float, lazy: int) -> torch.optim.Adam:
        """Adam (Kingma & Ba 2015); with a lazy regulariser, slowed by k / (k + 1) (Karras et al. 2020a, appendix B)."""
        slower = lazy / (lazy + 1) if lazy else 1.0
        first, second = (beta**slower for beta in self.settings.betas)
        rate *= slower
        group = {"params": [*network.parameters()], "initial_lr": rate}
        return torch.optim.Adam([group], rate, (first, second), eps=1e-8, fused=True)

    @property
    def stage(self) -> Stage:
        """How far the networks have grown."""
        return growth.stage(self.settings, self.images)

    def random(self, word: str) -> torch.Generator:
        """The random numbers of a step."""
        seed = named_seed(self.settings.seed, f"{word} {self.steps}")
        return torch.Generator(self.device).manual_seed(seed)

    def step(self, data: Data) -> dict[str, Tensor]:
        """Learn from the next pictures; losses and logits of the step, as tensors that nobody has waited for."""
        now, random = self.stage, self.random("step")
        self._cool()
        count = self.settings.batch_at(now.resolution)
        told: dict[str, Tensor] = {}
        for _ in range(self.settings.critics - 1):
            real, labels = self.real(data, now, count)
            with torch.no_grad():
                fake = self._made(count, labels, now, random)
            self._judge(real, fake, labels, now, random)
            self.images += count
        real, labels = self.real(data, now, count)
        fake = self._made(count, labels, now, random)
        told |= self._judge(real, fake.detach(), labels, now, random)
        self.images += count
        told |= self._improve(fake, labels, now, random)
        self._follow(count * self.settings.critics)
        self.steps += 1
        return told

    def real(self, data: Data, now: Stage, count: int) -> tuple[Tensor, Tensor | None]:
        """The next real pictures float32 [N, 3, R, R] in [-1, 1], as the stage sees them, and their labels."""
        pictures, labels = data.batch(self.images, count, now.resolution)
        pictures = pictures.to(self.device, non_blocking=True).float().div_(127.5).sub_(1)
        if labels is not None:
            labels = labels.to(self.device, non_blocking=True) if self.settings.classes else None
        return growth.shown(pictures, now, self.generator.doubled), labels

    def _made(self, count: int, labels: Tensor | None, now: Stage, random: torch.Generator) -> Tensor:
        z = torch.randn(count, self.generator.latent_size, generator=random, device=self.device)
        return self.generator(z, labels, now, random)

    def _judge(
        self, real: Tensor, fake: Tensor, labels: Tensor | None, now: Stage, random: torch.Generator
    ) -> dict[str, Tensor]:
        """One step of the discriminator, and now and then one of its penalty alone."""
        settings, p = self.settings, self.controller.p
        real, fake = self.augment(real, p, random), self.augment(fake, p, random)
        judge = self._judge_at(now)
        of_real, of_fake = judge(real, labels, now), judge(fake, labels, now)
        loss = self.loss.discriminator(of_real, of_fake)
        told = {"loss_d": loss, "real": of_real.mean(), "fake": of_fake.mean()}
        every = settings.penalty_every
        weight = settings.penalty_weight_at(now.resolution, now.alpha) * every
        penalty = self.penalty if self.steps % every == 0 else None
        if penalty is not None and every == 1:
            told["penalty"] = penalty(self.discriminator, real, fake, labels, now, random)
            loss = loss + told["penalty"] * weight
        self._learn(self.for_discriminator, loss)
        if penalty is not None and every > 1:
            told["penalty"] = penalty(self.discriminator, real, fake, labels, now, random)
            self._learn(self.for_discriminator, told["penalty"] * weight)
        if settings.augmentation == "ada":
            self.controller.observe(of_real.detach())
            self.controller.update(real.shape[0])
        return {name: value.detach() for name, value in told.items()}

    def _judge_at(self, now: Stage) -> Callable[..., Tensor]:
        """The discriminator, compiled if that was asked for; not while it fades in, when each step would be another
        program, and never for penalties, whose second derivative compiled programs don't have.
        """
        return self._compiled if now.alpha >= 1 else self.discriminator

    def _improve(self, fake: Tensor, labels: Tensor | None, now: Stage, random: torch.Generator) -> dict[str, Tensor]:
        """One step of the generator, by the discriminator as it is now, and now and then one of its path length."""
        self.discriminator.requires_grad_(False)
        shown = self.augment(fake, self.controller.p, random)
        loss = self.loss.generator(self._judge_at(now)(shown, labels, now))
        self._learn(self.for_generator, loss)
        told = {"loss_g": loss.detach()}
        every = self.settings.path_length_every
        if every and self.steps % every == 0 and isinstance(self.generator, StyleGAN2):
            count = max(1, fake.shape[0] // 2)
            z = torch.randn(count, self.generator.latent_size, generator=random, device=self.device)
            some = None if labels is None else labels[:count]
            length = path_length(self.generator, z, some, now, random, self.path_mean, self.steps // every)
            self._learn(self.for_generator, length * (PATH_LENGTH_WEIGHT * every))
            told["path_length"] = self.path_mean.clone()
        self.discriminator.requires_grad_(True)
        return told

    def _cool(self) -> None:
        """Lower the rates toward the end, where the settings want it."""
        if self.settings.cooling:
            warmth = growth.warmth(self.settings, self.images)
            for optimiser, _ in self._optimisers().values():
                for group in optimiser.param_groups:
                    group["lr"] = group["initial_lr"] * warmth

    @staticmethod
    def _learn(optimiser: torch.optim.Adam, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def _follow(self, count: int) -> None:
        """Move the averaged generator (Karras et al. 2018, section 4)."""
        halflife = max(min(self.settings.ema, self.images * self.settings.ema_ramp), 1e-8)
        weight = 1 - 0.5 ** (count / halflife)
        for mine, its in zip(self.average.parameters(), self.generator.parameters(), strict=True):
            mine.lerp_(its, weight)
        for mine, its in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            mine.copy_(its)

    def is_finite(self) -> bool:
        """Whether all weights are numbers still."""
        networks = self._networks().values()
        return all(bool(torch.isfinite(one).all()) for network in networks for one in network.parameters())

    @torch.no_grad()
    def samples(self, z: Tensor, labels: Tensor | None, now: Stage | None = None) -> Tensor:
        """Pictures uint8 [N, 3, R, R] of the averaged generator, a training's batch at a time."""
        parts, batch = [], self.settings.batch_at(self.stage.resolution)
        random = torch.Generator(self.device).manual_seed(0)
        for first in range(0, z.shape[0], batch):
            rows = slice(first, first + batch)
            some = None if labels is None else labels[rows].to(self.device)
            made = self.average(z[rows].to(self.device), some, now or self.stage, random)
            parts.append(made.float().mul(127.5).add(127.5).round_().clamp_(0, 255).to(torch.uint8).cpu())
        return torch.cat(parts)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next step depends on: tensors by name, and plain facts."""
        tensors, steps = {}, {}
        for name, network in self._networks().items():
            tensors |= {f"{name}.{key}": tensor for key, tensor in network.state_dict().items()}
        for name, (optimiser, network) in self._optimisers().items():
            found, steps[name] = moments(optimiser, network, name)
            tensors |= found
        tensors["path_mean"] = self.path_mean
        facts = {"steps": self.steps, "images": self.images, "adam": steps, "controller": self.controller.state()}
        return tensors, facts

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Go on from a state; KeyError or RuntimeError where its tensors are of another network."""
        for name, network in self._networks().items():
            prefix = f"{name}."
            network.load_state_dict(
                {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
            )
        for name, (optimiser, network) in self._optimisers().items():
            restore_moments(optimiser, network, name, tensors, facts["adam"][name])
        self.path_mean = tensors["path_mean"].to(self.device)
        self.steps, self.images = facts["steps"], facts["images"]
        self.controller.restore(facts["controller"])

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def _optimisers(self) -> dict[str, tuple[torch.optim.Adam, nn.Module]]:
        return {
            "adam_g": (self.for_generator, self.generator),
            "adam_d": (self.for_discriminator, self.discriminator),
        }
