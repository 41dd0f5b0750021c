"""Training, one step after another: every family learns, goes on exactly where it was, and averages itself."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.base.errors import RenderError, TrainingError
from gandream.models.registry import describe, load_generator
from gandream.training import growth, losses, penalties, quality, state
from gandream.training.ahead import Ahead
from gandream.training.data import Dreams
from gandream.training.export import export
from gandream.training.learner import Learner
from gandream.training.networks.base import Discriminator, Stage
from gandream.training.presets import Asked, settings
from gandream.training.settings import FAMILIES, Settings, Step, jsonable
from gandream.training.swd import Descriptors
from gandream.training.train import Job, train

CPU = torch.device("cpu")
TINY = {
    "stylegan2": {"latent_size": 16, "w_size": 16, "mapping_layers": 2, "channels": [[4, 16], [8, 16], [16, 8]]},
    "biggan_deep": {"width": 8, "latent_size": 16, "embed_size": 8, "attention": 8, "multipliers": (2, 2, 1)},
    "progan": {"latent_size": 16, "channel_base": 128, "channel_max": 16},
    "dcgan": {"latent_size": 16, "channels": 8, "channel_max": 16},
}


def tiny(family: str, **changes) -> Settings:
    """A network that takes a step in a few milliseconds, in the way of its family."""
    data = Dreams()
    found = settings(Asked(family, 16, data.classes, 1000, "small"))
    return replace(found, network=TINY[family], batch={"16": 8, "8": 8, "4": 8}, **changes)


def learner(family: str, steps: int = 0, **changes) -> Learner:
    """One that has taken some steps."""
    made = Learner(tiny(family, **changes), CPU)
    for _ in range(steps):
        made.step(Dreams())
    return made


def latents(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return quality.latents(16, 0, count), torch.arange(count) % 10


def when_there_is_time(*quick: str) -> list:
    """All families, of which some are quick enough for every run."""
    return [pytest.param(family, marks=[] if family in quick else pytest.mark.slow) for family in FAMILIES]


@pytest.mark.parametrize("family", when_there_is_time("progan"))
def test_each_family_learns(family: str):
    one = learner(family)
    z, labels = latents(8)
    wanted = labels if one.settings.classes else None
    before = one.samples(z, wanted)
    for _ in range(8):
        told = one.step(Dreams())
        assert all(math.isfinite(float(value)) for value in told.values()), told
    assert (one.steps, one.images) == (8, 64)
    after = one.samples(z, wanted)
    assert before.shape == after.shape == (8, 3, 16, 16)
    assert not torch.equal(before, after)
    raw, average = one.generator.state_dict(), one.average.state_dict()
    learnt = [name for name, parameter in one.generator.named_parameters() if parameter.grad is not None]
    assert learnt
    assert all(torch.isfinite(average[name]).all() for name in average)
    assert sum(not torch.equal(raw[name], average[name]) for name in learnt) > len(learnt) / 2


@pytest.mark.parametrize("family", when_there_is_time("stylegan2", "dcgan"))
def test_a_resumed_training_takes_the_same_steps(family: str, tmp_path: Path):
    straight = learner(family, 6)
    halfway = learner(family, 3)
    tensors, facts = halfway.state()
    state.save(tmp_path / "state.safetensors", tensors, {"learner": facts})
    resumed = Learner(tiny(family), CPU)
    found, told = state.load(tmp_path / "state.safetensors")
    resumed.restore(found, told["learner"])
    for _ in range(3):
        resumed.step(Dreams())
    wanted, have = straight.state(), resumed.state()
    assert have[1] == wanted[1]
    assert have[0].keys() == wanted[0].keys()
    for name, tensor in wanted[0].items():
        assert torch.equal(have[0][name], tensor), name


@pytest.mark.slow
def test_a_compact_state_goes_on_nearly_the_same(tmp_path: Path):
    straight, halfway = learner("biggan_deep", 6), learner("biggan_deep", 5)
    tensors, facts = halfway.state()
    state.save(tmp_path / "whole.safetensors", tensors, {"learner": facts})
    state.save(tmp_path / "small.safetensors", state.compacted(tensors), {"learner": facts, "compact": True})
    whole, small = (tmp_path / f"{name}.safetensors" for name in ("whole", "small"))
    assert small.stat().st_size < 0.5 * whole.stat().st_size
    found, told = state.load(small)
    assert found.keys() == tensors.keys()
    resumed = learner("biggan_deep")
    resumed.restore(found, told["learner"])
    resumed.step(Dreams())
    for (name, mine), its in zip(resumed.generator.named_parameters(), straight.generator.parameters(), strict=True):
        assert (mine - its).abs().max() < 0.02, name


SLOWLY = [pytest.param(family, marks=pytest.mark.slow) for family in ("biggan_deep", "progan")]


@pytest.mark.parametrize("family", ["stylegan2", *SLOWLY])
def test_growing_learns_at_every_size_and_fades_without_a_jump(family: str):
    grown = tiny(family, growth=(Step(8, 0, 40),), last_fade=40)
    one = Learner(grown, CPU)
    sizes = []
    for _ in range(12):
        sizes.append((one.stage.resolution, one.stage.alpha))
        assert all(math.isfinite(float(value)) for value in one.step(Dreams()).values())
    assert sizes == [(8, 1.0)] * 5 + [(16, alpha / 5) for alpha in range(5)] + [(16, 1.0)] * 2
    z, labels = latents(4)
    small = one.samples(z, labels, Stage(8)).float()
    faded = one.samples(z, labels, Stage(16, 0.0)).float()
    halved = torch.nn.functional.avg_pool2d(faded, 2)
    alike = torch.corrcoef(torch.stack([halved.flatten(), small.flatten()]))[0, 1]
    assert alike > 0.9  # StyleGAN2 doubles with a filter that blurs


@pytest.mark.parametrize("family", FAMILIES)
def test_what_was_learnt_is_a_model_like_any_other(family: str, tmp_path: Path):
    one = learner(family, 4)
    path = tmp_path / "model.safetensors"
    export(one, Dreams(), path, name="mine", licence="CC0-1.0", weights="float32", more={"seconds": 1})
    spec = describe(str(path))
    assert (spec.family, spec.name, spec.size, spec.licence) == (family, "mine", (16, 16), "CC0-1.0")
    assert spec.classes == one.settings.classes
    z, labels = latents(6)
    wanted = labels if spec.classes else None
    model = load_generator(str(path))
    made = model.synthesise(model.map(z, wanted))
    with torch.no_grad():
        expected = one.average(z, wanted, one.stage, torch.Generator().manual_seed(0))
    if family != "biggan_deep":  # whose file has its own statistics
        assert (made - expected).abs().max() < 1e-4 * max(1.0, float(expected.std()))
    assert made.shape == expected.shape
    assert made.std() > 0


def test_half_precision_weights_make_nearly_the_same_picture(tmp_path: Path):
    one = learner("stylegan2", 4)
    pictures = []
    for kind in ("float32", "float16"):
        path = tmp_path / f"{kind}.safetensors"
        export(one, Dreams(), path, name="m", licence="", weights=kind, more={})
        model = load_generator(str(path))
        z, labels = latents(4)
        pictures.append(model.synthesise(model.map(z, labels)))
    whole, half = (tmp_path / f"{kind}.safetensors" for kind in ("float32", "float16"))
    assert half.stat().st_size < 0.75 * whole.stat().st_size
    assert 0 < (pictures[0] - pictures[1]).abs().max() < 0.02


def test_a_diverged_training_keeps_the_last_good_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def job(images: int) -> Job:
        wanted = replace(tiny("dcgan"), images=images)
        return Job(wanted, tmp_path / "x.safetensors", tmp_path / "x", "x", every=16, samples=0)

    def run(images: int) -> None:
        train(job(images), Dreams(), CPU, resume=True, progress=lambda report: None, stop=lambda: False)

    run(16)
    good = {path.name: path.read_bytes() for path in (tmp_path / "x.safetensors", job(0).state)}
    step = Learner.step

    def diverging(learner: Learner, data) -> dict[str, torch.Tensor]:
        told = step(learner, data)
        with torch.no_grad():
            next(learner.generator.parameters()).fill_(math.nan)
        return told

    monkeypatch.setattr(Learner, "step", diverging)
    with pytest.raises(RenderError, match="diverged after"):
        run(32)
    assert {path.name: path.read_bytes() for path in (tmp_path / "x.safetensors", job(0).state)} == good


def test_losses_by_hand():
    real, fake = torch.tensor([0.0, 2.0]), torch.tensor([-1.0, 0.5])
    logistic, hinge, wasserstein = (losses.LOSSES[name] for name in ("non_saturating", "hinge", "wasserstein"))

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    by_hand = (
        -(math.log(sigmoid(0)) + math.log(sigmoid(2)) + math.log(1 - sigmoid(-1)) + math.log(1 - sigmoid(0.5))) / 2
    )
    assert float(logistic.discriminator(real, fake)) == pytest.approx(by_hand, rel=1e-5)
    assert float(logistic.generator(fake)) == pytest.approx(
        -(math.log(sigmoid(-1)) + math.log(sigmoid(0.5))) / 2, rel=1e-5
    )
    assert float(hinge.discriminator(real, fake)) == pytest.approx((1 + 0) / 2 + (0 + 1.5) / 2)
    assert float(hinge.generator(fake)) == pytest.approx(0.25)
    assert float(wasserstein.discriminator(real, fake)) == pytest.approx(-0.25 - 1.0 + losses.DRIFT * 2)
    assert float(wasserstein.generator(fake)) == pytest.approx(0.25)


class Linear(Discriminator):
    """D(x) = <a, x>: its gradient is a everywhere."""

    def __init__(self, a: torch.Tensor):
        super().__init__()
        self.a = torch.nn.Parameter(a)

    def forward(self, images, labels, stage):
        return (images * self.a).sum(dim=(1, 2, 3))


def test_penalties_of_a_linear_discriminator():
    a = torch.full((3, 4, 4), 0.5)
    judge, real, fake = Linear(a), torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    squared, random = float(a.square().sum()), torch.Generator().manual_seed(0)
    value = penalties.r1(judge, real, fake, None, Stage(4), random)
    assert value.item() == pytest.approx(squared / 2)
    value.backward()
    assert torch.allclose(judge.a.grad, a)  # of 1/2 |a|^2
    lipschitz = penalties.one_lipschitz(judge, real, fake, None, Stage(4), random).item()
    assert lipschitz == pytest.approx((math.sqrt(squared) - 1) ** 2, rel=1e-4)


def test_path_lengths_move_the_mean_and_the_generator():
    one = learner("stylegan2", 2, path_length_every=1)
    assert float(one.path_mean) > 0
    still = learner("stylegan2", 2, path_length_every=0)
    assert float(still.path_mean) == 0
    different = [name for name, tensor in one.generator.state_dict().items()
                 if not torch.equal(tensor, still.generator.state_dict()[name])]  # fmt: skip
    assert different


def test_stages_of_growing_by_hand():
    plan = replace(tiny("progan"), resolution=32, growth=(Step(8, 0, 100), Step(16, 30, 200)), last_fade=50)
    stages = {images: growth.stage(plan, images) for images in (0, 99, 100, 115, 130, 299, 300, 325, 350, 10_000)}
    assert stages == {
        0: Stage(8), 99: Stage(8), 100: Stage(16, 0.0), 115: Stage(16, 0.5), 130: Stage(16), 299: Stage(16),
        300: Stage(32, 0.0), 325: Stage(32, 0.5), 350: Stage(32), 10_000: Stage(32),
    }  # fmt: skip


def test_real_pictures_fade_in_too():
    pictures = torch.randn(2, 3, 8, 8)
    low = torch.nn.functional.avg_pool2d(pictures, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    nearest, filtered = learner("progan").generator.doubled, learner("stylegan2").generator.doubled
    assert torch.allclose(growth.shown(pictures, Stage(8, 0.0), nearest), low)
    assert torch.allclose(growth.shown(pictures, Stage(8, 0.25), nearest), 0.75 * low + 0.25 * pictures, atol=1e-6)
    assert growth.shown(pictures, Stage(8), nearest) is pictures
    assert growth.shown(pictures, Stage(8, 0.0), filtered).var() < 0.7 * low.var(), "StyleGAN2's own filter blurs"


def test_reading_ahead_gives_the_same_batches():
    plain, ahead = Dreams(), Ahead(Dreams())
    for first, count, resolution in ((0, 8, 16), (8, 8, 16), (16, 8, 32), (24, 8, 32), (0, 4, 16)):
        for mine, its in zip(ahead.batch(first, count, resolution), plain.batch(first, count, resolution), strict=True):
            assert torch.equal(mine, its)
    assert torch.equal(ahead.batch(0, 4, 16, held_out=True)[0], plain.batch(0, 4, 16, held_out=True)[0])
    assert (ahead.name, ahead.classes, ahead.fingerprint) == (plain.name, plain.classes, plain.fingerprint)


def test_settings_survive_json_and_differences_are_named():
    import json

    mine = tiny("stylegan2")
    again = json.loads(json.dumps(mine.plain()))
    assert again == jsonable(mine.plain())
    assert mine.differences(again) == []
    assert replace(mine, images=5).differences(again) == []
    (one,) = replace(mine, seed=4).differences(again)
    assert one == "seed: 0 there, 4 here"
    del again["cooling"]
    assert replace(mine, cooling=0.0).differences(again) == [], "a state from before the word goes on as it was"
    assert replace(mine, cooling=0.5).differences(again) == ["cooling: 0.0 there, 0.5 here"]


@pytest.mark.slow
def test_rates_fall_by_half_a_cosine_at_the_end_also_after_a_resume():
    cools = learner("progan", images=100, cooling=0.5)
    rates = {}
    for images in (0, 50, 75, 100, 300):
        cools.images = images
        cools.step(Dreams())
        rates[images] = [group["lr"] for found, _ in cools._optimisers().values() for group in found.param_groups]
    assert rates[0] == rates[50] == [0.001, 0.001]
    assert rates[75] == pytest.approx([0.00055] * 2)
    assert rates[100] == rates[300] == pytest.approx([0.0001] * 2)
    other = learner("progan", images=100, cooling=0.5)
    other.restore(*cools.state())
    other.images = 0
    other.step(Dreams())
    assert [group["lr"] for group in other.for_generator.param_groups] == [0.001]


def test_the_last_size_has_a_penalty_of_its_own_once_it_has_faded_in():
    told = replace(tiny("stylegan2"), penalty_weight=10.0, last_penalty_weight=1.0)
    assert [told.penalty_weight_at(*at) for at in ((8, 1.0), (16, 0.5), (16, 1.0))] == [10.0, 10.0, 1.0]
    assert replace(told, last_penalty_weight=None).penalty_weight_at(16, 1.0) == 10.0
    # What the penalty's own step takes from a discriminator goes with its weight.
    moved = []
    for weight in (0.0, 1.0, 100.0):
        one = learner("stylegan2", last_penalty_weight=weight, last_fade=0, growth=(), cooling=0.0)
        one.for_discriminator = torch.optim.SGD(one.discriminator.parameters(), lr=1e-3)
        before = [p.detach().clone() for p in one.discriminator.parameters()]
        one.step(Dreams())
        after = [p.detach() for p in one.discriminator.parameters()]
        moved.append(sum(float((a - b).square().sum()) for a, b in zip(after, before, strict=True)))
    assert moved[0] < moved[1] < moved[2]


@pytest.mark.parametrize("resolution", [0, 8, 48, 100, 2048])
def test_a_resolution_that_is_no_power_of_two(resolution: int):
    with pytest.raises(TrainingError, match="power of two"):
        settings(Asked("stylegan2", resolution, (), 1000))


def test_typos_in_words_are_guessed():
    with pytest.raises(TrainingError, match="Did you mean 'stylegan2'"):
        settings(Asked("stylgan2", 64, (), 1000))
    with pytest.raises(TrainingError, match="Did you mean 'small'"):
        settings(Asked("stylegan2", 64, (), 1000, "smal"))


class Blobs:
    """Two Gaussians: a soft bright spot at one of two places, jittered by a Gaussian."""

    name, classes, count, fingerprint = "blobs", (), None, "blobs"
    provenance = None

    def batch(self, first: int, count: int, resolution: int, *, held_out: bool = False):
        random = np.random.default_rng([first, held_out])
        centres = np.where(random.random((count, 1)) < 0.5, 0.3, 0.7) + random.normal(0, 0.04, (count, 2))
        line = (np.arange(resolution) + 0.5) / resolution
        squares = (line[None, :, None] - centres[:, :1, None]) ** 2 + (line[None, None] - centres[:, 1:, None]) ** 2
        spots = np.exp(-squares / (2 * 0.1**2))[:, None] * np.array([255, 160, 60])[None, :, None, None]
        return torch.from_numpy(spots.astype(np.uint8)), None


@pytest.mark.slow
def test_two_gaussians_are_learnt_within_a_minute():
    """The distance to held-out pictures falls by half at least."""
    data = Blobs()
    found = replace(
        settings(Asked("stylegan2", 16, (), 6_000, "small")), network={**TINY["stylegan2"]}, batch={"16": 16}
    )
    one = Learner(replace(found, ema=500), CPU)
    real = quality.of_data(data, 16, 1024)

    def distance() -> float:
        made = Descriptors(16)
        made.add(one.samples(quality.latents(16, 0, 1024), None))
        return quality.compare(made, real).mean

    for _ in range(5):
        one.step(data)
    before = distance()
    while one.images < 6_000:
        one.step(data)
    assert distance() < before / 2
