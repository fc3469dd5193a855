"""Bad input of every kind ends with one clear sentence, and in time: `scripts/bad_inputs.py` in a process without type checks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "bad_inputs.py"


def tried(*options: str) -> int:
    """How many inputs were tried, all of which ended with one clear sentence."""
    ended = subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return int(re.search(r"(\d+) bad inputs", ended.stdout)[1])


def test_bad_numbers_and_parts_of_every_class_are_refused():
    assert tried("--only", "constructors") > 300


@pytest.mark.slow
def test_bad_input_of_every_kind_is_refused():
    assert tried() > 1000
