"""What the tests of models share: a tiny BigGAN-deep, and checks whose failures show what was compared."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.register_assert_rewrite("style_checks")


@pytest.fixture
def biggan_deep_file(tmp_path: Path) -> Path:
    """A tiny BigGAN-deep of random numbers in the published layout, its configuration beside it, 16 x 16 pixels."""
    from biggan_deep_reference import BLOCKS, CONFIG, state, written

    folder = tmp_path / "hub"
    folder.mkdir()
    return Path(written(folder, state(attention=None), CONFIG | {"attention_layer_position": len(BLOCKS)}))
