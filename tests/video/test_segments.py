from __future__ import annotations

import hashlib
import os

import pytest

from gandream.base.hashing import content_key
from gandream.video.segments import find_verified, publish_with_digest


@pytest.fixture
def published(tmp_path):
    part = tmp_path / ".x.part.mp4"
    part.write_bytes(b"pictures" * 1000)
    return publish_with_digest(part, tmp_path, "00ff")


def test_the_name_says_what_is_in_it(published, tmp_path):
    digest = content_key("segment's file", "00ff", hashlib.sha256(b"pictures" * 1000).hexdigest())[:16]
    assert published.name == f"00ff-{digest}.mp4"
    assert find_verified(tmp_path, "00ff") == published
    assert [path.name for path in tmp_path.iterdir()] == [published.name]


def test_other_keys_are_others(published, tmp_path):
    for key in ("00f", "0ff", "00ff0", "", "*", "00f[f]"):
        assert find_verified(tmp_path, key) is None
    assert published.exists()


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:500] + b"X" + b[501:], lambda b: b + b"x"]
)
def test_what_is_damaged_is_removed(published, tmp_path, damage):
    published.write_bytes(damage(published.read_bytes()))
    assert find_verified(tmp_path, "00ff") is None
    assert not published.exists()


def test_a_whole_one_beside_false_ones_is_found(published, tmp_path):
    (tmp_path / "00ff-0000000000000000.mp4").write_bytes(b"foreign")
    (tmp_path / "00ff-ffffffffffffffff.mp4").mkdir()
    (tmp_path / "00ff-note.txt").write_text("mine")
    assert find_verified(tmp_path, "00ff") == published
    assert not (tmp_path / "00ff-0000000000000000.mp4").exists()
    assert (tmp_path / "00ff-note.txt").exists()


def test_under_anothers_key_it_is_foreign(published, tmp_path):
    published.rename(tmp_path / published.name.replace("00ff", "00fe"))
    assert find_verified(tmp_path, "00fe") is None


def test_what_is_no_plain_file_is_never_opened(tmp_path):
    for name, make in (("1" * 16, os.mkfifo), ("2" * 16, lambda path: path.symlink_to("/dev/zero"))):
        make(tmp_path / f"00ff-{name}.mp4")
    assert find_verified(tmp_path, "00ff") is None


def test_a_folder_in_its_place_is_only_set_aside(published, tmp_path):
    content = published.read_bytes()
    published.unlink()
    published.mkdir()
    (published / "mine.txt").write_text("mine")
    part = tmp_path / ".y.part.mp4"
    part.write_bytes(content)
    assert publish_with_digest(part, tmp_path, "00ff") == find_verified(tmp_path, "00ff") == published
    assert [path.read_text() for path in tmp_path.glob("*/mine.txt")] == ["mine"]


def test_a_folder_that_is_not_there(tmp_path):
    assert find_verified(tmp_path / "nowhere", "00ff") is None
