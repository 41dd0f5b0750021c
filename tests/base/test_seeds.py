from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gandream.base.seeds import named_seed


@given(st.integers(0, 2**32 - 1), st.text(max_size=20))
def test_a_seed_that_numpy_takes_always_the_same(seed, path):
    assert 0 <= named_seed(seed, path) < 2**32
    assert named_seed(seed, path) == named_seed(seed, path)


def test_known_seeds_never_change():
    assert [named_seed(0, "push[0].random"), named_seed(1, "push[0].random"), named_seed(0, "noise")] == [
        1079630641,
        2466975182,
        3934089122,
    ]


def test_neighbours_have_nothing_in_common():
    seeds = [named_seed(seed, path) for seed in range(100) for path in ("", "a", "b", "1", "push[0]")]
    assert len(set(seeds)) == 500
    assert abs(sum(seed / 2**32 for seed in seeds) / 500 - 0.5) < 0.05


def test_number_and_path_are_not_run_together():
    assert named_seed(1, "1x") != named_seed(11, "x")
