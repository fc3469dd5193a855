"""A program that computes a little of everything and prints it as JSON: run by tests with several devices and processes.

Arguments: "ensemble" or "everything", number of devices, of processes, of this process, and a port.
"""

import json
import sys

import mtjax as mtj


def ensemble() -> dict:
    """Which samples switched and where all ended: in one chunk on one device, in chunks of 32 on several."""
    import jax
    import numpy as np

    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(9e-5, 0.4e-9)
    chunk = 4096 if jax.device_count() == 1 else 32
    sol = mtj.simulate(device, pulse, 0.6e-9, samples=301, key=jax.random.key(0), save=1, chunk=chunk)
    ends = np.asarray(sol.ms)[:, 0]
    return {"switched": np.nonzero(ends[:, 2] < 0)[0].tolist(), "ends": ends.ravel().tolist()}


def everything() -> dict:
    """The ensemble, a sampled probability with its score, a fit, an accuracy."""
    import jax
    import numpy as np

    from mtjax.nn import Dataset, NeelBrownLaw, evaluate, mlp
    from mtjax.switching import ThermalActivation

    device, pulse, key = mtj.presets.perpendicular_sot(), mtj.Pulse(9e-5, 0.4e-9), jax.random.key(0)
    score = mtj.score_gradient(device, pulse, mtj.MonteCarlo(301, key), relax=0.2e-9)
    counts = [3, 9, 24, 60, 110, 158, 187]
    data = mtj.SwitchingData(current=np.linspace(8e-6, 12e-6, 7), width=1e-7, switched=counts, trials=200)
    fit = mtj.fit(mtj.presets.perpendicular_stt(), data, where=("Bk", "polarisation"), method=ThermalActivation())
    images = Dataset(np.random.default_rng(0).random((37, 8)).astype(np.float32), np.arange(37) % 3)
    network = mlp((8, 6, 3), NeelBrownLaw.of(mtj.presets.perpendicular_stt(), 1e-7), key=key)
    right = evaluate(network, images, steps=3, key=key, batch=20).correct
    return ensemble() | {
        "sampled": float(score.value),
        "slope": float(score.gradient[1].amplitude),
        "fit": [float(x) for x in fit.estimates.value],
        "right": right.astype(int).tolist(),
    }


def main() -> None:
    what, *numbers = sys.argv[1:]
    devices, processes, number, port = map(int, numbers)
    mtj.configure_cpu(devices=devices)
    if processes > 1:
        mtj.start_processes(f"127.0.0.1:{port}", processes, number, timeout=300)

    import jax

    jax.config.update("jax_enable_x64", True)
    assert (jax.local_device_count(), jax.process_count()) == (devices, processes)
    print(json.dumps({"ensemble": ensemble, "everything": everything}[what]()))


if __name__ == "__main__":
    main()
