from __future__ import annotations

import errno
import os

import pytest

from gandream.base.errors import OutputError, RenderError
from gandream.base.files import disk_errors, published, temporary_beside, writable_folder


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
