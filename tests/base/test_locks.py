"""Locks between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from gandream.base.locks import take

HOLDER = """
import sys
from pathlib import Path
from gandream.base.locks import take
print(take(Path(sys.argv[1])) is not None, flush=True)
sys.stdin.readline()
"""


def holder(path: Path) -> tuple[subprocess.Popen[str], str]:
    """Another process that takes a lock if it can, and what it says of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_one_at_a_time_in_this_process(tmp_path: Path):
    path = tmp_path / "x.lock"
    first = take(path)
    assert first is not None
    assert take(path) is None
    assert take(tmp_path / "y.lock") is not None
    first.release()
    assert not path.exists()
    second = take(path)
    assert second is not None
    second.release()


def test_a_killed_holder_lets_go(tmp_path: Path):
    path = tmp_path / "x.lock"
    process, said = holder(path)
    assert said == "True"
    assert take(path) is None
    process.kill()
    process.communicate()
    assert path.exists(), "what it left is no lock any more"
    lock = take(path)
    assert lock is not None
    process, said = holder(path)
    process.communicate("\n")
    assert said == "False", "and it is held as any other"
    lock.release()


def test_many_threads_never_hold_one_together(tmp_path: Path):
    path, inside, most, taken = tmp_path / "x.lock", [], [], []

    def work() -> None:
        for _ in range(200):
            if lock := take(path):
                inside.append(1)
                most.append(len(inside))
                taken.append(1)
                inside.pop()
                lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(taken) >= 200
    assert not path.exists()
