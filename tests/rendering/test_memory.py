"""How much memory there is, told by files as Linux writes them, and how much a render is said to need."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.models.registry import describe
from gandream.models.spec import Layer, Spec
from gandream.rendering.memory import encoder, largest_batch, needed
from gandream.rendering.room import UNKNOWN, room
from gandream.video.format import VideoFormat

GB = 1 << 30
MEMINFO = "MemTotal:       8388608 kB\nMemFree:         100 kB\nMemAvailable:   4194304 kB\n"
SPEC = Spec(
    "stylegan2", "n", "f", 512, (), size=(256, 256), shown=(Layer("b4", 4, 512), Layer("b256", 256, 64)), channels=3
)


def machine(root: Path, files: dict[str, str]) -> Path:
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_this_machine_has_some():
    found = room("cpu")
    assert 0 < found.free <= found.total


def test_without_groups_it_is_what_the_machine_has(tmp_path: Path):
    found = room("cpu", machine(tmp_path, {}))
    assert (found.total, found.free) == (8 * GB, 4 * GB)


def test_a_group_of_the_second_version_and_those_above_it(tmp_path: Path):
    mount = "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"
    files = {
        "proc/self/cgroup": "0::/jobs/ours\n",
        "proc/self/mountinfo": mount,
        "sys/fs/cgroup/jobs/ours/memory.max": "max\n",
        "sys/fs/cgroup/jobs/ours/memory.current": "1000\n",
        "sys/fs/cgroup/jobs/memory.max": f"{2 * GB}\n",
        "sys/fs/cgroup/jobs/memory.current": f"{GB}\n",
        "sys/fs/cgroup/jobs/memory.stat": f"anon 5\ninactive_file {GB // 4}\nfile 7\n",
    }
    found = room("cpu", machine(tmp_path, files))
    assert (found.total, found.free) == (2 * GB, GB + GB // 4)


def test_a_group_of_the_first_version(tmp_path: Path):
    mount = (
        "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n36 31 0:33 / /x rw - cgroup cgroup rw,cpu\n"
    )
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/a\n4:memory:/a/b\n0::/\n",
        "proc/self/mountinfo": mount,
        "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": f"{3 * GB}\n",
        "sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": f"{4 * GB}\n",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/memory/a/memory.usage_in_bytes": "5\n",
    }
    found = room("cpu", machine(tmp_path, files))
    assert (found.total, found.free) == (3 * GB, 0)


def test_a_container_that_sees_its_own_group_as_the_root(tmp_path: Path):
    mount = "30 20 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    files = {
        "proc/self/mountinfo": mount,
        "sys/fs/cgroup/memory.max": f"{GB}\n",
        "sys/fs/cgroup/memory.current": "0\n",
    }
    for path in ("0::/docker/abc\n", "0::/elsewhere\n"):
        found = room("cpu", machine(tmp_path, {**files, "proc/self/cgroup": path}))
        assert (found.total, found.free) == (GB, GB), path


@given(st.binary(max_size=200))
def test_odd_files_are_passed_over(tmp_path_factory: pytest.TempPathFactory, text: bytes):
    root = machine(tmp_path_factory.mktemp("odd"), {"proc/self/cgroup": "", "proc/self/mountinfo": ""})
    for name in ("proc/self/cgroup", "proc/self/mountinfo"):
        (root / name).write_bytes(text)
    assert room("cpu", root).total == 8 * GB


def test_where_nothing_is_told_there_is_no_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.sysconf", lambda name: -1, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert room("cpu", tmp_path).free == UNKNOWN


def film(size: int, **words) -> VideoFormat:
    return VideoFormat(size, size, Fraction(25), **words)


def need(batch: int = 4, device: str = "cpu", size: int = 256, parameters: int = 100 << 20, **words) -> int:
    return needed(SPEC, film(size, **words), batch, device, "float32", parameters)


def test_more_of_anything_needs_more():
    assert need(batch=8) > need(batch=4)
    assert need(parameters=200 << 20) >= need() + (100 << 20)
    assert need(size=1024) > need()
    assert need(codec="h265") > need()
    assert need(preset="veryslow") > need() > need(preset="ultrafast")
    assert need(batch=16, device="cuda") > 2 * need(batch=1, device="cuda") - (1 << 30)


def test_what_was_measured_lies_within_half_as_much_again():
    """Peaks of renders with their ffmpeg on a machine with two cores (``tests/benchmarks/memory_needed.py``)."""
    spec = describe("cppn#7")
    for width, height, batch, measured_mb in ((64, 64, 4, 305), (512, 512, 4, 369)):
        said = needed(spec, VideoFormat(width, height, Fraction(25)), batch, "cpu", "float32", 0) / (1 << 20)
        assert measured_mb <= said <= 1.6 * measured_mb


def test_no_encoder_is_forgotten():
    assert encoder(film(1080)) > 150 << 20
    assert encoder(film(1080, codec="prores", subsampling="422", depth=10)) > 100 << 20


@given(st.integers(1, 64), st.integers(0, 1000), st.integers(1, 100))
def test_the_largest_batch_fits_or_is_one(most: int, room_: int, each: int):
    batch = largest_batch(lambda count: each * count, room_, most)
    assert 1 <= batch <= most
    assert batch == 1 or each * batch <= room_
    assert batch == most or each * min(most, 2 * batch) > room_ or each * (2 * batch + 1) > room_
