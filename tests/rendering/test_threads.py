"""The number of torch's threads, which shapes the last bits of a picture."""

from __future__ import annotations

import threading

import pytest
import torch

from gandream.recipe.recipe import Recipe
from gandream.rendering import threads
from gandream.run.film import render


@pytest.fixture(autouse=True)
def as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("asked", "expected"), [("3", 3), (" 2,4 ", 2), ("1", 1)])
def test_what_the_environment_asks_for(monkeypatch, asked, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads.cpu_threads() == expected


@pytest.mark.parametrize("nonsense", ["", "0", "many", "-2"])
def test_nonsense_in_the_environment_counts_as_nothing(monkeypatch, nonsense):
    monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
    assert threads.cpu_threads() == threads.cores() >= 1


def test_two_processors_of_one_core_count_as_one(monkeypatch, tmp_path):
    for number, siblings in enumerate(["0,4", "1,5", "2,6", "3,7"] * 2):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(siblings + "\n")
    monkeypatch.setattr(threads, "TOPOLOGY", tmp_path)
    counted = [threads._cores.__wrapped__(frozenset(here)) for here in (range(8), (0, 4), (0, 1, 2), (7, 8, 9))]
    assert counted == [4, 1, 3, 3]  # 8 and 9 aren't described: each is a core of its own


def test_it_holds_in_the_thread_that_asks():
    seen = []
    there = threading.Thread(target=lambda: (threads.use(3), seen.append(torch.get_num_threads())))
    there.start()
    there.join()
    assert seen == [3]


def test_a_film_is_the_same_whatever_number_the_process_had(monkeypatch, tmp_path):
    recipe = Recipe.model_validate(
        {
            "model": "dream",
            "walk": {"through": [1, 2]},
            "classes": "silk",
            "video": {"size": 64, "fps": 4, "duration": 1, "file": "mkv", "codec": "ffv1"},
        }
    )
    stores = []
    for number, (process, asked) in enumerate([(1, "2"), (2, "2"), (2, "1")]):
        torch.set_num_threads(process)
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        monkeypatch.setenv("GANDREAM_CACHE", str(tmp_path / f"cache{number}"))
        render(recipe, tmp_path / f"{number}.mkv", device="cpu")
        assert torch.get_num_threads() == int(asked)
        found = sorted((tmp_path / f"cache{number}" / "segments").iterdir())
        stores.append({path.name: path.read_bytes() for path in found if path.is_file()})
    assert stores[0]
    assert stores[0] == stores[1]
    assert not stores[0].keys() & stores[2].keys()
