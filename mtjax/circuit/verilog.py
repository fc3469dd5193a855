"""A device as a module of Verilog-A."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mtjax.circuit.model import Model, source_of
from mtjax.circuit.terms import Constant, number

_PINS = re.compile(r"\b([mn][xyz])\b")
_POSITIVE = ("Ms", "alpha", "gyro", "volume", "area", "thickness", "R_P", "tstep")


def module(model: Model, name: str, sources: Mapping[str, str]) -> str:
    """The module `name`."""
    pins = [pin for pin, _ in model.terminals]
    inner = [*(f"h{n}" for n in range(1, len(model.heat))), *(["mid"] if model.spin_orbit else [])]
    lines = [
        '`include "disciplines.vams"',
        "",
        *(f"// {pin:>3}  {meaning}" for pin, meaning in model.terminals),
        f"module {name}({', '.join(pins)});",
        f"inout {', '.join(pins)};",
        f"electrical {', '.join([*pins, *inner])};",
        *_parameters(model, sources),
        f"real {', '.join(_reals(model))};",
        "analog begin",
        *(f"  {line}" for line in (*_path(model), *_state(model), *_thermal(model), *_equation(model))),
        "end",
        "endmodule",
        "",
    ]
    return "\n".join(lines)


def _parameters(model: Model, sources: Mapping[str, str]) -> Iterable[str]:
    for title, group in model.constants.items():
        yield f"// {title}"
        for one in group:
            bounds = " from (0:inf)" if one.name in _POSITIVE else ""
            yield f"parameter real {one.name} = {number(one.value)}{bounds}; // {_about(one, sources)}"


def _about(constant: Constant, sources: Mapping[str, str]) -> str:
    source = source_of(constant, sources)
    said = f"{constant.unit}: {constant.meaning}" if constant.unit else constant.meaning
    return " ".join((f"{said} [{source}]" if source else said).split())


def _reals(model: Model) -> list[str]:
    """Names of the variables."""
    state = ["bx", "by", "bz", "mb", "mm", "temp_now", "ms_now", "soft_now", "noise_rate", "gate_voltage"]
    flow = ["junction_voltage", "junction_current", "torque_current", "heat"]
    return [*state, *flow, *(line.name for line in _all_lines(model))]


def _all_lines(model: Model):
    return (*model.lines, *(line for field in model.fields for line in field.lines))


def _said(expression: str) -> str:
    """An expression in which the components of m and of the noise are read from their pins."""
    return _PINS.sub(r"V(\1)", expression)


def _path(model: Model) -> Iterable[str]:
    yield "// where the current flows"
    ends = "t3, mid" if model.top else "t1, t2"
    voltage = f"V({ends})" if model.top or not model.spin_orbit else "0.0"
    yield f"junction_voltage = {voltage};"
    yield "gate_voltage = junction_voltage;"
    if model.tmr is not None:
        yield f"junction_current = junction_voltage*({_said(model.tmr)});"
    else:
        yield "junction_current = " + ("0.0;" if model.spin_orbit else "junction_voltage/max(R_write, 1e-3);")
    if model.spin_orbit:
        yield "torque_current = (V(t1, mid)+V(mid, t2))/max(R_write, 1e-3);"
        yield "I(t1, mid) <+ 2.0*V(t1, mid)/max(R_write, 1e-3);"
        yield "I(mid, t2) <+ 2.0*V(mid, t2)/max(R_write, 1e-3);"
        yield "heat = 2.0*(V(t1, mid)*V(t1, mid)+V(mid, t2)*V(mid, t2))/max(R_write, 1e-3)+junction_voltage*junction_current;"
    else:
        yield "torque_current = junction_current;"
        yield "heat = junction_voltage*junction_current;"
    if model.top or not model.spin_orbit:
        yield f"I({ends}) <+ junction_current;"
    if model.hall is not None:
        yield f"V(vh) <+ torque_current*{_said(model.hall)};"


def _state(model: Model) -> Iterable[str]:
    yield "// the state"
    yield "temp_now = temperature" + ("+V(tr);" if model.heat else ";")
    yield f"ms_now = Ms*({model.magnetisation}); // A/m"
    yield f"soft_now = {model.softening}; // Bk over the stated one"
    for line in model.lines:
        yield f"{line.name} = {line.expression}; // {line.meaning}"
    yield "noise_rate = sqrt(noise_per_root*max(temp_now, 1e-9)/ms_now); // 1/ns: turns m, times a standard normal"


def _thermal(model: Model) -> Iterable[str]:
    if not model.heat:
        return
    yield "// the Joule heat: one volt is one kelvin, one ampere one watt (a chain of Foster)"
    yield "I(tr) <+ -heat;"
    places = ["tr", *(f"h{n}" for n in range(1, len(model.heat)))]
    for n, (R, tau) in enumerate(model.heat):
        ends = f"{places[n]}, {places[n + 1]}" if n + 1 < len(places) else places[n]
        yield f"I({ends}) <+ V({ends})/{R}+{tau}/{R}*ddt(V({ends}));"


def _equation(model: Model) -> Iterable[str]:
    for field in model.fields:
        for line in field.lines:
            yield f"{line.name} = {_said(line.expression)}; // {line.meaning}"
    yield "// the effective field, T"
    for place, i in enumerate("xyz"):
        yield f"b{i} = 0.0"
        for field in model.fields:
            if field.components[place] != "0":
                yield f"  +({_said(field.components[place])}) // {field.title}"
        yield ";"
    yield _said("mb = mx*bx+my*by+mz*bz;")
    yield _said("mm = mx*mx+my*my+mz*mz;")
    yield "// dm/dt = -gamma/(1+alpha^2) [m x B + alpha m x (m x B)] + noise_rate (n x m), per ns; a working point is the start"
    yield 'if (analysis("static")) begin'
    yield from (f"  I(m{i}) <+ V(m{i})-m{i}0;" for i in "xyz")
    yield "end else begin"
    for i, j, k in ("xyz", "yzx", "zxy"):
        rate = f"-gamma_ns*(m{j}*b{k}-m{k}*b{j}+alpha*(m{i}*mb-mm*b{i}))+noise_rate*(n{j}*m{k}-n{k}*m{j})+hold*(1-mm)*m{i}"
        yield f"  I(m{i}) <+ 1e-9*ddt(V(m{i}))-({_said(rate)});"
    yield "end"
