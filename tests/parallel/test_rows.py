"""The same numbers on any number of devices and processes; processes that are missing or die."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.parallel import over_rows

PROGRAM = Path(__file__).parents[1] / "spread.py"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(*arguments, program=PROGRAM):
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    return subprocess.Popen(
        [sys.executable, str(program), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


def finished(run) -> dict:
    out, err = run.communicate(timeout=900)
    assert run.returncode == 0, err
    return json.loads(next(line for line in out.splitlines() if line.startswith("{")))


def same(found: dict, wanted: dict) -> None:
    """Counts and who switched exactly; what is computed in floating point within the rounding of differently compiled loops.

    (XLA fuses multiplications into additions in one program and not in another; without fused operations,
    `XLA_FLAGS=--xla_cpu_max_isa=SSE4_2`, the states are the same to the bit.)
    """
    assert found.keys() == wanted.keys()
    for name, value in found.items():
        if name.startswith(("ends", "slope", "fit")):
            np.testing.assert_allclose(value, wanted[name], rtol=1e-9, atol=1e-12, err_msg=name)
        else:
            assert value == wanted[name], name


def test_the_same_ensemble_on_one_and_on_four_devices_and_in_any_chunks():
    """301 samples: no multiple of the devices, nor of the chunks."""
    four, one = start("ensemble", 4, 1, 0, 0), start("ensemble", 1, 1, 0, 0)
    first = finished(one)
    same(finished(four), first)
    assert 30 < len(first["switched"]) < 271


@pytest.mark.slow
def test_everything_is_the_same_on_two_devices_and_in_two_processes():
    """Counts bit for bit; what is summed over samples within rounding."""
    port = free_port()
    runs = [start("everything", 1, 2, i, port) for i in range(2)]
    both = [finished(run) for run in runs]
    one, two = (finished(start("everything", n, 1, 0, 0)) for n in (1, 2))
    assert both[0] == both[1]
    same(two, one)
    same(both[0], one)


@pytest.mark.parametrize("number", [0, 1])
def test_a_missing_process_is_one_sentence_within_the_stated_time(number):
    code = f"import mtjax as mtj; mtj.start_processes('127.0.0.1:{free_port()}', 2, {number}, timeout=3)"
    before = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)  # noqa: PLW1510
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if line.startswith("TimeoutError: ")]
    assert len(said) == 1
    assert "All 2 processes must start within 3 s" in said[0]
    assert time.monotonic() - before < 60  # imports included


def test_rows_under_a_transformation_stay_where_they_are():
    def shifted(shared, rows):
        return rows + shared

    rows = np.arange(5.0)
    np.testing.assert_array_equal(over_rows(shifted, 1.0, rows), rows + 1)
    np.testing.assert_array_equal(jax.jit(lambda x: over_rows(shifted, x, rows))(1.0), rows + 1)
    np.testing.assert_array_equal(jax.grad(lambda x: over_rows(shifted, x, rows).sum())(1.0), 5.0)


def test_devices_cannot_be_set_after_a_computation():
    jax.numpy.zeros(1).block_until_ready()
    with pytest.raises(ValueError, match="must be called before jax computes anything"):
        mtj.configure_cpu(devices=7)
    with pytest.raises(ValueError, match="at least 1, but is 0"):
        mtj.configure_cpu(devices=0)
