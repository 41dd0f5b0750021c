"""Each family on a stand-in for an Apple GPU: the pictures of the CPU, and never a number that it doesn't have."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from apple_gpu import OnApple, apple_gpu
from test_same_bytes import KINDS, inputs_of, ways

from gandream.models.registry import load_generator

FAMILIES = [name for name, (_, dtype) in KINDS.items() if dtype is None]


@pytest.mark.parametrize("family", [*FAMILIES, "biggan_deep", "dream"])
def test_a_family_there_is_what_it_is_on_a_cpu(family: str, tmp_path: Path, request: pytest.FixtureRequest):
    if family == "dream":
        file: object = "dream"
    elif family == "biggan_deep":
        file = request.getfixturevalue("biggan_deep_file")
    else:
        file = KINDS[family][0](tmp_path)
    on_cpu = load_generator(str(file), "cpu")
    with apple_gpu():
        there = load_generator(str(file), "mps")
        assert there.device.type == "mps"
        inputs = inputs_of(there, 3)
        plain = there.synthesise(inputs)
    assert isinstance(plain, OnApple)
    wanted = on_cpu.synthesise(inputs_of(on_cpu, 3))
    torch.testing.assert_close(plain.cpu(), wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    for given, same in zip(ways(there, 3), ways(on_cpu, 3), strict=True):
        with apple_gpu():
            made = there.synthesise(inputs, **given)
        wanted = on_cpu.synthesise(inputs_of(on_cpu, 3), **same)
        torch.testing.assert_close(made.cpu(), wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
