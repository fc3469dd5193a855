"""`mtjax train`: a spiking network of junctions, its accuracy and its joules."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

import mtjax as mtj
from mtjax.cli.options import DeviceName, Force, Json, Out, SetOption, device_named
from mtjax.cli.output import can_draw, refuse, tell_of_pictures

if TYPE_CHECKING:
    from mtjax.devices import Device
    from mtjax.nn import AbstractCost, AbstractLaw, Accuracy, CmosEnergy, Dataset, Energy, Trained

_STORED, _WIDTH, _RESET = "sengupta2016", 0.5e-9, 120e-6
"""The device whose law is stored, the width of its pulses, s, and the current of its reset, A."""
_BATCH = 32


def train_command(
    data: Annotated[
        tyro.conf.Positional[str],
        tyro.conf.arg(metavar="DATA", help="digits, or a .npz file with x_train, y_train, x_test, y_test."),
    ] = "digits",
    /,
    *,
    device: DeviceName = _STORED,
    set_: SetOption = (),
    width: Annotated[float, tyro.conf.arg(metavar="S", help="Width of the write pulses, s.")] = _WIDTH,
    hidden: Annotated[tuple[int, ...], tyro.conf.arg(metavar="N ...", help="Neurons in every hidden layer.")] = (64, 64),
    steps: Annotated[int, tyro.conf.arg(help="Time-steps per inference.")] = 4,
    epochs: Annotated[int, tyro.conf.arg(help="How often all images are seen.")] = 60,
    rate: Annotated[float, tyro.conf.arg(help="Adam's rate at the start.")] = 3e-2,
    seed: Annotated[int, tyro.conf.arg(help="Of everything random.")] = 0,
    checkpoint: Annotated[
        Path | None, tyro.conf.arg(help="Folder that keeps every epoch: an interrupted training goes on from there.")
    ] = None,
    json_: Json = False,
    out: Out = Path("mtjax-train"),
    force: Force = False,
) -> None:
    """Train a network whose neurons are junctions, by the slope of their own switching probability.

    The law of sengupta2016 (Sengupta et al., 2016) at 0.5 ns is stored; that of any other device or width is worked out first,
    from 25 switching probabilities between the currents at which they rise from 0.002 to 0.998. Prints accuracy against
    time-steps, joules of an inference, part by part, and those of 45 nm CMOS on the same network; `mtjax.nn.Hardware` and
    `mtjax.nn.Cmos` name the assumptions.

    For example:
      mtjax train
      mtjax train digits --steps 8 --epochs 20 --out eight
      mtjax train digits --device mine.toml --width 5e-9 --out mine
      mtjax train images/mnist.npz --hidden 300 --epochs 15 --rate 6e-3 --checkpoint kept --json
    """
    refuse(out, force=force)
    tell_of_pictures()
    train, test = _data(data, seed)
    if not hidden or min(hidden) < 1:
        raise ValueError(f"--hidden must be one or more positive numbers, but is {hidden}.")
    junction = device_named(device, set_)
    stored = device == _STORED and not set_ and width == _WIDTH
    law, reset = (mtj.nn.sengupta2016_law(), _RESET) if stored else _law_of(junction, width)
    law, junction = _single_precision((law, junction))
    import jax
    import numpy as np

    from mtjax import nn

    classes, batch = int(train.labels.max()) + 1, min(_BATCH, len(train))
    sizes = (int(np.prod(train.images.shape[1:])), *hidden, classes)
    how = nn.Training(epochs=epochs, batch=batch, rate=rate, steps=steps)
    key = jax.random.key(seed)
    with jax.enable_x64(False):  # noqa: FBT003
        hardware = nn.Hardware.of(junction, width, reset_current=reset)
        network = nn.mlp(sizes, law, key=key, shape=train.images.shape[1:])
        kept = None if checkpoint is None else checkpoint / "network.ckpt"
        trained = nn.train(network, train, how, key=jax.random.fold_in(key, 1), progress=sys.stderr.isatty(), checkpoint=kept)
        accuracy = nn.evaluate(trained.network, test, steps=steps, key=jax.random.fold_in(key, 2))
        images = test.images[:1000]
        own, cmos = (nn.mean_over(trained.network, images, c, steps=steps, key=key) for c in (hardware, nn.Cmos()))
    _report(out, trained, accuracy, own, cmos, as_json=json_)


def _law_of(device: Device, width: float) -> tuple[AbstractLaw, float]:
    """The law of `device` under pulses of `width`, and the current of its reset, A: the largest of the law."""
    mtj.nn.Hardware.of(device, width, reset_current=_RESET)  # refuses another read-out before the work
    law = mtj.nn.distil(device, width)
    print(f"The neurons: {law}", file=sys.stderr)
    return law, law.ranges[0][1]


def _single_precision(tree: Any) -> Any:
    """The same with its arrays in float32, in which networks are trained."""
    import equinox as eqx
    import jax

    return jax.tree.map(lambda x: x.astype("float32") if eqx.is_inexact_array(x) else x, tree)


def _data(name: str, seed: int) -> tuple[Dataset, Dataset]:
    if name == "digits":
        return mtj.nn.datasets.digits(seed=seed)
    if not name.endswith(".npz"):
        raise ValueError(f"The data must be digits or a .npz file, but are {name!r}.")
    return mtj.nn.datasets.load_npz(name)


def _report(out: Path, trained: Trained, accuracy: Accuracy, own: Energy, cmos: CmosEnergy, *, as_json: bool) -> None:
    """Print, and write train.json, network.ckpt and train.png."""
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "network": str(trained.network),
        "loss": [loss for loss, _ in trained.history],
        "accuracy": accuracy.value.tolist(),
        "stderr": accuracy.stderr.tolist(),
        "energy": _joules(own),
        "cmos": _joules(cmos),
    }
    text = json.dumps(record, indent=1)
    mtj.files.write_whole(out / "train.json", text)
    mtj.files.save_checkpoint(out / "network.ckpt", trained.network, trained.history)
    written = ["train.json", "network.ckpt", *_picture(out / "train.png", trained.history, accuracy, own, cmos)]
    if as_json:
        print(text)
        return
    ratio = float(cmos.total / own.total)
    print(f"{trained.network}\naccuracy: {accuracy}\n{own}\n{cmos}\nCMOS takes {ratio:.0f} times as much.")
    for name in written:
        print(f"written: {out / name}")


def _joules(energy: AbstractCost) -> dict[str, float]:
    """Every part, the total, and the latency in seconds."""
    values = {name: float(part) for name, part in energy.parts.items()}
    return {**values, "total": float(energy.total), "latency": float(energy.latency)}


def _picture(path: Path, history, accuracy: Accuracy, own: Energy, cmos: CmosEnergy) -> list[str]:
    if not can_draw():
        return []
    mtj.plot.plot_training([loss for loss, _ in history], accuracy, own, cmos).savefig(path)
    return [path.name]
