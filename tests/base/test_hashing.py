from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandream.base.hashing import content_key, file_fingerprint

_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.fractions(max_denominator=99),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def kinds(value):
    """The value with what counts besides equality: types, and the sign of zero."""
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [kinds(item) for item in value]
    return (type(value).__name__, repr(value))


@given(_plain, _plain)
def test_keys_are_equal_exactly_where_values_are(a, b):
    assert (content_key(a) == content_key(b)) == (kinds(a) == kinds(b))


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=5))
def test_the_order_of_a_mapping_does_not_count(mapping):
    assert content_key(dict(reversed(mapping.items()))) == content_key(mapping)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["ab", "c"], ["a", "bc"]),
        ([[1], 2], [1, [2]]),
        ([], [[]]),
        ({}, []),
        (1, 1.0),
        (1, True),
        (1, "1"),
        (0.0, -0.0),
        (None, "None"),
        (Fraction(1, 2), 0.5),
        ({"a": 1}, ["a", 1]),
        (["a"], "a"),
    ],
)
def test_near_things_differ(a, b):
    assert content_key(a) != content_key(b)


def test_parts_are_not_run_together():
    assert len({content_key("ab"), content_key("a", "b"), content_key("", "ab"), content_key(["a", "b"])}) == 4


def test_arrays_count_by_content_kind_and_shape():
    array = np.arange(12, dtype=np.float32)
    same = [array.copy(), array.astype(">f4"), np.repeat(array, 2)[::2]]
    assert {content_key(each) for each in same} == {content_key(array)}
    other = [
        array.reshape(3, 4),
        array.reshape(4, 3),
        array.astype(np.float64),
        array.view(np.int32),
        array[::-1],
        array[:0],
        array[:1],
    ]
    assert len({content_key(each) for each in (array, *other)}) == 1 + len(other)
    assert content_key(np.asfortranarray(array.reshape(3, 4))) == content_key(array.reshape(3, 4))


def test_a_scalar_array_is_no_list_of_one():
    assert content_key(np.float32(1).reshape(())) != content_key(np.ones(1, np.float32))


def test_the_key_is_the_same_in_every_process():
    value = "{'b': [1, 2.5, None, 'é'], 'a': (True, np.arange(6.0).reshape(2, 3))}"
    code = f"import numpy as np; from gandream.base.hashing import content_key; print(content_key({value}))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert answers == {content_key(eval(value, {"np": np}))}


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", 1j, [object()]])
def test_what_has_no_content_is_refused(value):
    with pytest.raises(TypeError, match="can't hash a"):
        content_key(value)


def test_file_fingerprint(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "f").write_bytes(data)
    assert file_fingerprint(tmp_path / "f") == hashlib.sha256(data).hexdigest()


def test_a_settled_file_is_read_once_and_again_when_it_changed(tmp_path, monkeypatch):
    file, read = tmp_path / "f", []
    monkeypatch.setattr("gandream.base.hashing._sha256", lambda path: read.append(path) or path.read_bytes().hex())
    file.write_bytes(b"one")
    assert [file_fingerprint(file), file_fingerprint(file)] == [b"one".hex()] * 2
    assert len(read) == 2, "written a moment ago"
    os.utime(file, (1e9, 1e9))
    assert [file_fingerprint(file), file_fingerprint(file)] == [b"one".hex()] * 2
    assert len(read) == 3
    time.sleep(0.05)  # the clock of a file system ticks slowly
    file.write_bytes(b"two")
    os.utime(file, (1e9, 1e9))
    assert file_fingerprint(file) == b"two".hex(), "of the same size and time, but the system knows"
