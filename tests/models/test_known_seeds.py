"""A seed's z is the one that the published tools give: numbers written down from the definition, not from numpy.

The definition is ``numpy.random.RandomState(seed).randn(1, D)``: MT19937 (Matsumoto & Nishimura 1998) seeded by its
2002 initialisation, doubles of 53 bits, and Marsaglia's polar method, whose second number comes first. The literals
were computed by these steps in plain Python.
"""

from __future__ import annotations

import numpy as np
import pytest

from gandream.models.registry import describe
from gandream.models.spec import Layer, Spec

WRITTEN_DOWN = {
    0: ([1.764052345967664, 0.4001572083672233, 0.9787379841057392, 2.240893199201458], 1.3749640663929898),
    7: ([1.690525703800356, -0.4659373705408328, 0.0328201636785844, 0.40751628299650783], -1.779308714189156),
    85: ([0.1768507210788626, 2.3777541249700573, 0.998732857053734, -1.3101507969798436], 0.8217957110292099),
    2**32 - 1: (
        [0.6484086742306527, 0.6693235306338161, -1.0805437227474493, 0.2845010447986309],
        -0.16334506047141822,
    ),
}
"""Seed: the first four numbers of z, and the last of 512."""


@pytest.mark.parametrize("seed", WRITTEN_DOWN)
def test_z_of_a_seed(seed):
    first, last = WRITTEN_DOWN[seed]
    (z,) = Spec("stylegan2", "faces", "", 512, (Layer("b4.conv1", 4),)).latents([seed])
    assert z.dtype == np.float64
    np.testing.assert_allclose(z[:4], first, rtol=1e-14)
    np.testing.assert_allclose(z[511], last, rtol=1e-14)


def test_each_seed_of_a_batch_has_its_own():
    spec = describe("cppn#7")
    batch = spec.latents([85, 0, 7])
    for row, seed in zip(batch, (85, 0, 7), strict=True):
        np.testing.assert_allclose(row[:4], WRITTEN_DOWN[seed][0], rtol=1e-14)
