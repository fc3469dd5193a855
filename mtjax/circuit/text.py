"""A device as the text of a circuit language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from mtjax.checks import Seconds, checked
from mtjax.circuit.bench import bench
from mtjax.circuit.expected import Expected, expected_of
from mtjax.circuit.model import Model, model_of
from mtjax.circuit.spice import subcircuit
from mtjax.circuit.verilog import module
from mtjax.devices import Device
from mtjax.quantities import in_double

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SAID = {"ngspice": "ngspice", "veriloga": "Verilog-A"}


@checked
def export(
    device: Device,
    language: Literal["ngspice", "veriloga"],
    *,
    name: str = "mtj",
    bench: bool = True,
    step: Seconds | None = None,
    sources: Mapping[str, str] | None = None,
) -> str:
    """The text of `device` as a circuit element: a subcircuit for ngspice, or a module of Verilog-A.

    Its states are the three components of m, on pins that can be read, and the Joule heat on a thermal node. The stochastic LLG
    equation is the one of `simulate`, with every term of the device; thermal noise comes in by three pins, as standard normals
    that change every `step`. The write path is the heavy metal where there is spin-orbit torque, with the junction on its
    middle as a third terminal, else the junction itself, whose resistance follows m and the bias.

    - `language`: "ngspice" or "veriloga".
    - `name`: of the subcircuit or module: a letter, then letters, digits and underscores.
    - `bench`: whether a bench follows the subcircuit, one pulse and a self-test (`ngspice -b FILE`, half a minute): the spread
      of m in equilibrium, and the share of pulses that switch beside the switching probability by Monte Carlo. Of Verilog-A the
      numbers to expect stand in a comment. Without it the text is one to be included.
    - `step`: of the noise, s; `None`: m precesses by 0.1 rad in it. The circuit's largest step must be the same: by the
      trapezoidal rule, whose limit is Stratonovich's, the spread of m is then low by (angle per step)^2 / 4, 0.25 %.
    - `sources`: where values are from, for the comments, as `write_device` takes them.

    Raises `ValueError` where the name is not one, a number is being traced, or a term, law or read-out of the device is one
    that the language cannot say (a class of one's own).

    >>> import mtjax as mtj
    >>> text = mtj.circuit.export(mtj.presets.perpendicular_stt(40.0), "ngspice", name="pillar", bench=False)
    >>> print("\\n".join(line for line in text.splitlines() if line.startswith((".subckt", "+ Ms", "+ al"))))
    .subckt pillar t1 t2 mx my mz nx ny nz params:
    + Ms=1000000.0 ; A/m: saturation magnetisation
    + alpha=0.01 ; Gilbert damping
    .subckt pillar_noise nx ny nz params: tstep=2.6e-12 seed=1
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"`name` must be a letter followed by letters, digits and underscores, but is {name!r}.")
    return _written(device, language, name, bench, step, sources or {})


@in_double
def _written(device, language, name, with_bench, step, sources) -> str:
    model = model_of(device, _SAID[language], step)
    expected = expected_of(device, switching=model.is_like_simulate) if with_bench else None
    if language == "ngspice":
        text = _heading("*", model, name, expected) + "\n" + subcircuit(model, name, sources)
        return text if expected is None else text + bench(model, name, expected)
    return _heading("//", model, name, expected) + "\n" + module(model, name, sources)


def _heading(mark: str, model: Model, name: str, expected: Expected | None) -> str:
    """What the file is, and the numbers to expect."""
    lines = [
        f"{name}: a macrospin of mtjax as a circuit element, with the stochastic LLG equation of three components of m",
        "Units: SI; m in volts (length 1), temperatures in volts (1 V = 1 K), rates per ns, fields in tesla",
        f"Noise: three inputs hold a standard normal each for tstep = {model.step:g} s, the circuit's largest step, too, and",
        "  turn m by noise_rate n x m. Integrate by the trapezoidal rule (method=trap): its limit is Stratonovich's integral,",
        "  under which equilibrium is Boltzmann's; that of Euler's rule is not. The step makes the spread 0.25 % too small",
    ]
    if not model.is_like_simulate:
        lines += [
            "Voltages and currents are those of the circuit; mtjax.simulate takes one current, times the write resistance"
        ]
    if expected is not None:
        lines += [f"Expected: <1 - (m.start)^2> = {expected.equilibrium:.5g} without current, in the starting well"]
    if expected is not None and expected.amplitude is not None:
        lines += [
            f"Expected: {expected.amplitude * 1e6:.4g} uA for {expected.width * 1e9:.4g} ns, read "
            f"{expected.relax * 1e9:.4g} ns later, switch with probability {expected.switched:.4f} +- {expected.error:.4f}"
        ]
    return "\n".join(f"{mark} {line}" for line in lines)
