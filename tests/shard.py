"""A sweep into a folder, slow enough to be killed in its middle: run by tests. Arguments: folder, and what is swept."""

import sys
import time
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

sys.path.insert(0, str(Path(__file__).parent / "sweeps"))
from test_folder import sampled, thermal  # noqa: E402

from mtjax.sweeps import Sweep, run  # noqa: E402

answer = Sweep.answer


def slowly(self, number):
    """The answer, after a while."""
    time.sleep(0.5)
    return answer(self, number)


if __name__ == "__main__":
    Sweep.answer = slowly
    run(sampled() if sys.argv[2] == "sampled" else thermal(int(sys.argv[2])), Path(sys.argv[1]))
