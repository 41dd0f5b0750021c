"""Clusters of several machines, which are several nodes on this one: other versions, other disks, nodes that die."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from clusters import LONG, WORDS, alone, apart, recipe, segments, sums, wait_for

from gandream.run.film import render

pytestmark = [
    pytest.mark.slow,
    # Not by importing it: what it is to read of the environment isn't said yet.
    pytest.mark.skipif(find_spec("ray") is None, reason="this needs Ray"),
    pytest.mark.skipif(sys.platform != "linux", reason="Ray's clusters are for Linux"),
]
__all__ = ["alone"]
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def head() -> Iterator[Any]:
    """A cluster whose first node holds no worker."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


def test_a_node_that_dies_takes_nothing_with_it(head: Any, tmp_path: Path):
    render(recipe(tmp_path / "local", LONG), tmp_path / "local" / "r.mp4", device="cpu")
    nodes = [head.add_node(num_cpus=1) for _ in range(2)]
    recipe(tmp_path / "a", LONG)
    with apart(tmp_path / "a", "--on", f"ray:{head.address}", "--store", "bytes", "--json") as process:
        wait_for(lambda: len(segments(tmp_path / "a" / "outputs")) >= 3 or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        head.remove_node(nodes[0], allow_graceful=False)
        said, words = process.communicate(timeout=300)
    assert process.returncode == 0, words
    assert words == ""
    assert json.loads(said)["rendered"] == 320
    assert sums(tmp_path / "a" / "outputs") == sums(tmp_path / "local")


def test_a_node_that_comes_later_helps(head: Any, tmp_path: Path):
    recipe(tmp_path, LONG)
    with apart(tmp_path, "--on", f"ray:{head.address}") as process:
        said, words = process.communicate(timeout=100)
    assert process.returncode == 2
    assert said == ""
    assert "no machine of the cluster has a CPU" in words
    with apart(tmp_path, "--on", f"ray:{head.address}", "--workers", "2") as process:
        time.sleep(8)
        assert process.poll() is None, process.communicate()
        head.add_node(num_cpus=2)
        _, words = process.communicate(timeout=300)
    assert process.returncode == 0, words


def test_other_versions_are_refused_before_the_first_segment(head: Any, tmp_path: Path):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "gandream", copy / "gandream", ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "gandream" / "rendering" / "paint.py").open("a") as code:
        code.write("# another line\n")
    head.add_node(num_cpus=1)
    head.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(copy)})
    recipe(tmp_path)
    with apart(tmp_path, "--on", f"ray:{head.address}") as process:
        _, words = process.communicate(timeout=120)
    assert process.returncode == 2, words
    assert "the workers have other versions than the driver" in words
    assert " has gandream " in words
    assert "torch" not in words, "that is the same"
    assert segments(tmp_path / "outputs") == []


def test_a_store_that_workers_do_not_see_is_found_out(head: Any, tmp_path: Path):
    recipe(tmp_path)
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    join = f"mount -t tmpfs tmpfs {outputs} && exec ray start --address {head.address} --num-cpus 1 --block"
    node = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", join],
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        time.sleep(12)
        if node.poll() is not None:
            pytest.skip("this needs a file system of its own")
        with apart(tmp_path, "--on", f"ray:{head.address}", "--store", "shared") as process:
            _, words = process.communicate(timeout=120)
        assert process.returncode == 2, words
        assert "workers don't see what is written here" in words
        assert "--store bytes" in words
        assert segments(outputs) == []
        with apart(tmp_path, "--on", f"ray:{head.address}") as process:
            _, words = process.communicate(timeout=120)
        assert process.returncode == 0, words
        render(recipe(tmp_path / "local", WORDS), tmp_path / "local" / "r.mp4", device="cpu")
        assert sums(outputs) == sums(tmp_path / "local")
    finally:
        if node.poll() is None:
            os.killpg(node.pid, 15)
            node.wait(30)
