"""The bench of a subcircuit for ngspice: one pulse, and a self-test against the numbers to expect."""

from __future__ import annotations

import numpy as np

from mtjax.circuit.expected import Expected
from mtjax.circuit.model import Model
from mtjax.circuit.terms import number, weighted

_EQUILIBRIUM = 1.5 / 0.05**2
"""Relaxation times over which the equilibrium is averaged: to about 5 %."""
RUNS = 100
"""Pulses of which the switched ones are counted."""


def bench(model: Model, name: str, expected: Expected) -> str:
    """A pulse with thermal noise, then the self-test, to be run by `ngspice -b FILE`; the exit code is 1 where it fails."""
    pins = " ".join("0" if pin == "t2" else pin for pin, _ in model.terminals)
    control = [
        "set noinit",
        "setplot new",
        "set scratch=$curplot",
        "let good=1",
        *_equilibrium(model, expected),
        *_switching(model, expected),
    ]
    if expected.amplitude is None:
        control.insert(0, f"echo no switching is counted: {_why_not(model)}")
    amplitude = 0.0 if expected.amplitude is None else expected.amplitude
    step = number(model.step)
    return "\n".join(
        [
            "* The bench: a pulse after some time of noise",
            f".param amplitude={number(amplitude)} seed=1",
            f"Ipulse 0 t1 PULSE(0 {{amplitude}} {number(expected.wait)} 10f 10f {number(expected.width)})",
            *(["Rt3 t3 0 1e12"] if model.top else []),
            f"X1 {pins} {name}",
            f"Xn nx ny nz {name}_noise tstep={step} seed={{seed}}",
            "* equal steps by the trapezoidal rule, whose limit for small steps is Stratonovich's integral, as it must be",
            ".options method=trap trtol=1e6",
            "* The self-test: `ngspice -b` and this file",
            ".control",
            *control,
            "setplot $scratch",
            "if good gt 0",
            "  echo self-test: good",
            "  quit 0",
            "else",
            "  echo self-test: NOT good",
            "  quit 1",
            "end",
            ".endc",
            ".end",
            "",
        ]
    )  # fmt: skip


def _axis(model: Model) -> str:
    """m.start in the words of the control language."""
    names = [f"v(m{i})" for i in "xyz"]
    return weighted(np.asarray(model.device.start), names)


def _equilibrium(model: Model, expected: Expected) -> list[str]:
    if float(model.device.temperature) == 0:
        return ["echo temperature 0: no noise, no equilibrium to be tested"]
    span, wanted = float(f"{_EQUILIBRIUM * expected.relaxation:.1e}"), expected.equilibrium
    off = ["alterparam amplitude=0", "reset"] if expected.amplitude is not None else []
    return [
        f"* 1. equilibrium without current, over {span * 1e9:.3g} ns, in the starting well",
        *off,
        "save v(mx) v(my) v(mz)",
        f"tran {number(model.step)} {number(span)} 0 {number(model.step)}",
        f"let c={_axis(model)}",
        "let well=c gt 0",
        "let q=1-c*c/(v(mx)*v(mx)+v(my)*v(my)+v(mz)*v(mz))",
        "let found=mean(q*well)/mean(well)",
        f"let fits=abs(found/{wanted:.6g}-1) lt 0.15",
        f"echo equilibrium: mean of 1 - (m.start)^2 = $&found, Boltzmann {wanted:.5g}, 15 % are allowed",
        'set fits="$&fits"',
        "setplot $scratch",
        "let good=good*$fits",
    ]


def _switching(model: Model, expected: Expected) -> list[str]:
    if expected.amplitude is None:
        return []
    p, step = expected.switched, number(model.step)
    allowed = 3 * np.sqrt(max(p * (1 - p), 0.01) / RUNS + expected.error**2)
    end = expected.wait + expected.width + max(expected.relax, 2 * model.step)
    return [
        f"* 2. the share of {RUNS} pulses, each with noise of its own, that switch",
        "setplot $scratch",
        "let k=1",
        "let switched=0",
        f"dowhile k le {RUNS}",
        '  set k="$&k"',
        f"  alterparam amplitude={number(expected.amplitude)}",
        "  alterparam seed=$k",
        "  reset",
        "  save v(mx) v(my) v(mz)",
        f"  tran {step} {number(end)} 0 {step}",
        f"  let c={_axis(model)}",
        "  let over=c[length(c)-1] lt 0",
        '  set over="$&over"',
        "  set run=$curplot",
        "  setplot $scratch",
        "  let switched=switched+$over",
        "  let k=k+1",
        "  destroy $run",
        "end",
        f"let share=switched/{RUNS}",
        f"echo switched: $&share of {RUNS}, expected {p:.4f} +- {expected.error:.4f}, {allowed:.3f} are allowed",
        f"let good=good*(abs(share-{p:.6g}) lt {allowed:.4g})",
    ]


def _why_not(model: Model) -> str:
    if not model.is_like_simulate:
        return "voltages and currents are those of the circuit here, of one write path in mtjax"
    return "the device has no critical current"
