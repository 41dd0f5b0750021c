"""How threads of OpenMP wait for one another, which has to be said before torch is loaded."""

from __future__ import annotations

import os

SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def wait_asleep() -> None:
    """Have them sleep rather than spin, unless the environment says how they wait.

    Beside anything else that wants a core, spinning threads wait for one that isn't running: small pictures of a
    StyleGAN2 took 70 times as long then (tests/benchmarks/README.md). On a machine that does nothing else, sleeping
    costs the smallest networks up to half their speed, and larger ones nothing.
    """
    if not any(word in os.environ for word in SAID):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
