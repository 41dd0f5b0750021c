"""Recorded calls give what calls give: with a recorder that makes them again, in place, as a CUDA graph does."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from gandream.models.bending import Bend
from gandream.models.checkpoint.safe_tensors import write_safetensors
from gandream.models.noise import LayerNoise, NoiseMaps, Setting
from gandream.models.registry import load_generator
from gandream.models.spec import Inputs
from gandream.rendering.graphs import MOST, Replayed, replayed

sys.path.append(str(Path(__file__).parents[1] / "models"))
from stylegan2_reference import random_tensors


class Again:
    """Makes what was recorded again, into the same tensor, from the tensors that it was recorded with."""

    def __init__(self) -> None:
        self.records = 0

    def record(self, make):
        self.records += 1
        made = make()

        def replay() -> None:
            with torch.inference_mode():
                made.copy_(make())

        return made, replay


class Broken:
    def record(self, make):
        raise RuntimeError("operation not permitted when stream is capturing\nand more words")


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    write_safetensors(path, random_tensors(channels=(8, 8, 8)), {})
    return load_generator(str(path), "cpu")


def inputs(generator, *seeds: int) -> Inputs:
    return generator.map(generator.latents(seeds), psi=torch.linspace(0.5, 1, len(seeds)))


def moving(phase: float, count: int = 2, mode: str = "animate") -> LayerNoise:
    return LayerNoise(MAPS, [Setting(mode, np.ones(9, bool), np.full(count, 0.7), np.arange(count) / 3 + phase, 5)])


MAPS = NoiseMaps(torch.device("cpu"))


def test_calls_of_one_shape_are_recorded_once_and_replayed_with_other_numbers(generator):
    recorder = Again()
    again = Replayed(generator, recorder)
    for number, seeds in enumerate([(1, 2), (3, 4), (5, 6), (1, 2), (7, 8)]):
        given = inputs(generator, *seeds)
        assert torch.equal(again.synthesise(given), generator.synthesise(given)), number
    assert (recorder.records, again.replays) == (1, 4)  # the first is made as ever


def test_pictures_belong_to_who_asked_for_them(generator):
    again = Replayed(generator, Again())
    made = [again.synthesise(inputs(generator, seed)) for seed in range(5)]
    for seed, pictures in enumerate(made):
        assert torch.equal(pictures, generator.synthesise(inputs(generator, seed)))
        pictures.fill_(9)
    assert torch.equal(again.synthesise(inputs(generator, 1)), generator.synthesise(inputs(generator, 1)))


def test_each_shape_has_its_own_and_there_is_an_end_of_them(generator):
    recorder = Again()
    again = Replayed(generator, recorder)
    for count in (*range(1, MOST + 3), *range(1, MOST + 3), *range(1, MOST + 3)):
        given = inputs(generator, *range(count))
        assert torch.equal(again.synthesise(given), generator.synthesise(given)), count
    assert recorder.records == MOST
    assert again.replays == 2 * MOST


def test_bare_w_and_w_with_psi_are_not_taken_for_one_another(generator):
    recorder = Again()
    again = Replayed(generator, recorder)
    given = inputs(generator, 1, 2)
    for _ in range(3):
        assert torch.equal(again.synthesise(given.w), generator.synthesise(given.w))
        assert torch.equal(again.synthesise(given), generator.synthesise(given))
    assert recorder.records == 2


def test_noise_that_moves_is_given_to_what_is_replayed(generator):
    recorder = Again()
    again = Replayed(generator, recorder)
    given = inputs(generator, 1, 2)
    seen = []
    for phase in (0.0, 0.2, 0.4, 1.6, 3.1):
        made = again.synthesise(given, noise=moving(phase))
        assert torch.equal(made, generator.synthesise(given, noise=moving(phase))), phase
        seen.append(made)
    assert (recorder.records, again.replays) == (1, 4)
    assert not torch.equal(seen[3], seen[4])


def test_noise_of_another_kind_is_not_replayed(generator):
    again = Replayed(generator, Again())
    given = inputs(generator, 1, 2)
    for noise in (moving(0), moving(0), moving(1, mode="off"), moving(1, mode="fixed"), moving(2)):
        assert torch.equal(again.synthesise(given, noise=noise), generator.synthesise(given, noise=noise))
    assert again.replays == 3  # noise that stays is as much noise as what moves
    for word in ("off", "fixed", "off", "fixed", "off"):
        assert torch.equal(again.synthesise(given, noise=word), generator.synthesise(given, noise=word))
    assert again.replays == 6


def test_what_is_bent_is_made_as_ever(generator):
    again = Replayed(generator, Again())
    given = inputs(generator, 1, 2)
    for value in (0.5, 2.0, 3.0):
        bend = Bend("multiply", frozenset({1}), {"multiply": np.full(2, value)}, np.ones(2), np.ones(2, bool))
        made = again.synthesise(given, bend=[bend])
        assert torch.equal(made, generator.synthesise(given, bend=[bend]))
    assert again.replays == 0


def test_of_two_sizes_in_turn_none_is_replayed_and_of_one_that_stays_it_is(generator):
    again = Replayed(generator, Again())
    given = inputs(generator, 1, 2)
    for size in (None, (16, 24), None, (16, 24), None):
        assert torch.equal(again.synthesise(given, size=size), generator.synthesise(given, size=size))
    assert again.replays == 0
    for _ in range(3):
        assert torch.equal(again.synthesise(given, size=(24, 16)), generator.synthesise(given, size=(24, 16)))
    assert again.replays == 2


def test_where_recording_fails_all_goes_on_without_it(generator):
    again = Replayed(generator, Broken())
    for seed in range(4):
        given = inputs(generator, seed)
        assert torch.equal(again.synthesise(given), generator.synthesise(given))
    assert again.failure == "operation not permitted when stream is capturing"
    assert again.replays == 0


def test_in_any_mode_of_torch(generator):
    """What was recorded without gradients in mind is replayed with them, and the other way round."""
    again, given = Replayed(generator, Again()), inputs(generator, 1)
    with torch.inference_mode():
        for _ in range(2):
            again.synthesise(given)
    assert torch.equal(again.synthesise(given), generator.synthesise(given))
    with torch.inference_mode():
        inside = generator.map(generator.latents([3]))
        assert torch.equal(again.synthesise(inside.w), generator.synthesise(inside.w))


def test_on_a_cpu_generators_stay_as_they_are(generator):
    assert replayed(generator) is generator
