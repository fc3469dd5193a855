"""A fit or a training that is killed while it writes its checkpoint: run by tests.

Arguments: "fit" or "train", the checkpoint, and in which of its writings the process ends by signal 9, half a file written.
"""

import os
import signal
import sys
from pathlib import Path

import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx  # noqa: E402
import numpy as np  # noqa: E402

import mtjax as mtj  # noqa: E402
from mtjax import nn  # noqa: E402

AT, WIDTH = np.linspace(1.0, 1.9, 9), 6e-9


def fitted(path=None, starts=2) -> mtj.Fit:
    """Two quantities of a perpendicular junction, from two starting points."""
    device = mtj.presets.perpendicular_stt(40.0)
    current = AT * float(device.critical_current)
    switched = [0, 1, 4, 17, 46, 92, 130, 161, 185]
    data = mtj.SwitchingData(current=current, width=WIDTH, switched=switched, trials=200)
    start = eqx.tree_at(lambda d: d.layer.alpha, device, device.layer.alpha * 1.5)
    return mtj.fit(start, data, where=("Bk", "alpha"), checkpoint=path, starts=starts)


def trained(path=None) -> nn.learning.Trained:
    """Four epochs of a small network."""
    x = np.random.default_rng(0).random((64, 4)).astype(np.float32)
    data = nn.Dataset(x, (x[:, :2].sum(axis=1) > x[:, 2:].sum(axis=1)).astype(int))
    network = nn.mlp((4, 12, 2), nn.sengupta2016_law(), key=jax.random.key(0))
    how = nn.Training(epochs=4, batch=16, steps=2)
    return nn.train(network, data, how, key=jax.random.key(1), progress=False, checkpoint=path)


def die_in_writing(number: int) -> None:
    """The whole file stands beside the old one; cut it in half and die before it can take its place."""
    count, replace = 0, Path.replace

    def dying(self, target):
        nonlocal count
        count += 1
        if count == number:
            content = self.read_bytes()
            self.write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(self, target)

    Path.replace = dying


if __name__ == "__main__":
    what, checkpoint, which = sys.argv[1:]
    die_in_writing(int(which))
    {"fit": fitted, "train": trained}[what](checkpoint)
