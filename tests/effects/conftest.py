from __future__ import annotations

import pytest
import torch
from torch import Tensor


@pytest.fixture(scope="session")
def noise() -> Tensor:
    """Three frames of white noise, [3, 3, 48, 64] in [-1, 1]."""
    return torch.rand(3, 3, 48, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture(scope="session")
def ramp() -> Tensor:
    """Red grows to the right, green downward, blue is in the middle: [1, 3, 48, 64]."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 48), torch.linspace(-1, 1, 64), indexing="ij")
    return torch.stack([x, y, -x * y])[None]
