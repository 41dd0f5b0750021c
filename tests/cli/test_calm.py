"""OpenMP's threads sleep while they wait, unless the user says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gandream.base.calm import SAID, wait_asleep


@pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP tells how it was set up")
def test_torch_is_told_before_it_is_loaded():
    environment = {name: value for name, value in os.environ.items() if name not in SAID}
    done = subprocess.run(
        [sys.executable, "-m", "gandream", "doctor"],
        env={**environment, "OMP_DISPLAY_ENV": "TRUE"},
        capture_output=True,
        text=True,
    )
    assert "OMP_WAIT_POLICY = 'PASSIVE'" in done.stderr


@pytest.mark.parametrize("word", SAID)
def test_what_is_said_stays(monkeypatch, word):
    for name in SAID:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(word, "7")
    wait_asleep()
    assert {name: os.environ[name] for name in SAID if name in os.environ} == {word: "7"}
