from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gandream.base.errors import OutputError, RenderError
from gandream.base.files import LEFT_S, disk_errors, left_behind, machine, published, temporary_beside, writable_folder


def test_published_whole(tmp_path):
    target = tmp_path / "film.mp4"
    target.write_text("old")
    with published(target) as part:
        part.write_text("new")
        assert part.parent == target.parent
        assert part.suffix == ".mp4"
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt()])
def test_or_not_at_all(tmp_path, error):
    target = tmp_path / "film.mp4"
    with pytest.raises(type(error)), published(target) as part:  # noqa: PT012
        part.write_text("half")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_two_at_once_do_not_meet(tmp_path):
    target = tmp_path / "film.mp4"
    with published(target) as one, published(target) as two:
        assert one != two
        one.write_text("1")
        two.write_text("2")
    assert target.read_text() == "1"  # the one that ended last
    assert temporary_beside(target) != temporary_beside(target)


PART = "from pathlib import Path; from gandream.base.files import temporary_beside as t; print(t(Path('film.mp4')))"


def a_dead_ones(folder: Path) -> Path:
    """What a process of this machine, which has ended, has half-written just now."""
    said = subprocess.run([sys.executable, "-c", PART], capture_output=True, text=True, check=True)
    part = folder / said.stdout.strip()
    part.touch()
    return part


def aged(part: Path, seconds: float) -> Path:
    part.touch()
    then = time.time() - seconds
    os.utime(part, (then, then))
    return part


@pytest.mark.skipif(sys.platform == "win32", reason="there nobody can be asked whether a process runs")
def test_what_a_dead_process_of_this_machine_left_is_left_behind_at_once(tmp_path):
    dead, mine = a_dead_ones(tmp_path), temporary_beside(tmp_path / "film.mp4")
    mine.touch()
    assert dead.name.split(".")[2].split("-")[0] == machine() == mine.name.split(".")[2].split("-")[0]
    assert left_behind(dead)
    assert not left_behind(aged(mine, 3 * LEFT_S)), "we run, however long it takes"


def test_a_machine_that_has_the_same_process_ids_is_left_alone_for_a_day(tmp_path):
    """Whether its process runs can't be known here; nor of parts that older gandreams named by process alone."""
    dead = a_dead_ones(tmp_path)
    other = f"{int(machine(), 16) ^ 1:08x}"
    for name in (dead.name.replace(machine(), other), dead.name.replace(f"{machine()}-", "")):
        assert name != dead.name
        assert not left_behind(aged(tmp_path / name, 0))
        assert not left_behind(aged(tmp_path / name, LEFT_S - 60))
        assert left_behind(aged(tmp_path / name, LEFT_S + 60))
    running = temporary_beside(tmp_path / "film.mp4").name.replace(machine(), other)
    assert left_behind(aged(tmp_path / running, LEFT_S + 60)), "the same id here is another process"


def test_what_is_not_named_so_is_nobodys(tmp_path):
    for name in ("film.part.mp4", ".film.part.mp4", f".film.{machine()}-x-00000000.part.mp4", "film.mp4"):
        assert not left_behind(aged(tmp_path / name, 3 * LEFT_S))
    assert not left_behind(tmp_path / f".film.{'0' * 8}-1-00000000.part.mp4"), "it is gone"


def test_machines_and_containers_have_names_of_their_own(monkeypatch):
    """A machine keeps its own; another name of the host makes another one."""
    mine = machine()
    assert len(mine) == 8
    assert machine.__wrapped__() == mine
    monkeypatch.setattr("platform.node", lambda: f"not-{socket.gethostname()}")
    assert machine.__wrapped__() != mine


def test_what_the_system_says_in_our_words(tmp_path):
    with pytest.raises(RenderError, match="disk is full"), disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OutputError, match="can't write here"), disk_errors(tmp_path):
        (tmp_path / "nowhere" / "x").touch()
    with pytest.raises(OSError, match="Interrupted"), disk_errors(tmp_path):
        raise OSError(errno.EINTR, os.strerror(errno.EINTR))


def test_a_writable_folder(tmp_path):
    folder = writable_folder(tmp_path / "a" / "b")
    assert list(folder.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="can't write here"):
        writable_folder(tmp_path / "file" / "c")
    with pytest.raises(OutputError, match=r"can't write here: a file of this name is in the way\n.*-o"):
        writable_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="GANDREAM_CACHE names another place"):
        writable_folder(tmp_path / "file", "GANDREAM_CACHE names another place.")


@pytest.mark.parametrize("hurried", [False, True])
def test_temporary_folders_go_however_it_ends(hurried: bool):
    """Ctrl-C doesn't wait for work that is deep in a call."""
    end = "remove_parts(); os._exit(3)" if hurried else "raise SystemExit(3)"
    code = f"""
import os
from gandream.base.files import remove_parts, temporary_folder
with temporary_folder("gandream-test-") as folder:
    (folder / "a").mkdir()
    (folder / "a" / "b").write_text("half")
    print(folder, flush=True)
    {end}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "gandream-test-" in done.stdout
    assert not Path(done.stdout.strip()).exists()
