"""A device as a subcircuit of ngspice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mtjax.circuit.model import Model, source_of
from mtjax.circuit.terms import Constant, number

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_NOISE = """\
* Noise for it: three standard normals, another one every tstep, each independent of the others. A pseudo-random function of the
* number of the step and of the seed (two rounds of a sine, Box and Muller), so that a step that is taken again finds the same
* noise, and no break points cut the order of the integrator, as those of TRRANDOM do: the Euler step after each of them adds
* 3 % to a damping of 0.01 at this tstep, and there are four times as many steps.
.subckt {name}_noise nx ny nz params: tstep={step} seed=1
.func number() {{floor(time/tstep+1e-6)}}
.func part(x) {{x-floor(x)}}
.func first(a) {{part(1e5*sin(12.9898*number()+a))}}
.func even(a) {{part(1e5*sin(6.283185307179586*first(a)+0.1*number()+a))}}
.func size(a) {{sqrt(-2*ln(1e-12+even(a)))}}
Bx nx 0 V=size({{78.233*seed+1.1}})*cos(6.283185307179586*even({{78.233*seed+2.2}}))
By ny 0 V=size({{78.233*seed+1.1}})*sin(6.283185307179586*even({{78.233*seed+2.2}}))
Bz nz 0 V=size({{78.233*seed+3.3}})*cos(6.283185307179586*even({{78.233*seed+4.4}}))
.ends {name}_noise
"""


def subcircuit(model: Model, name: str, sources: Mapping[str, str]) -> str:
    """The subcircuits `name` and `name`_noise."""
    pins = " ".join(pin for pin, _ in model.terminals)
    lines = [
        *(f"* {pin:>3}  {meaning}" for pin, meaning in model.terminals),
        f".subckt {name} {pins} params:",
        *_parameters(model, sources),
        *_derived(model),
        *_path(model),
        *_thermal(model),
        *_equation(model),
        f".ends {name}",
        "",
        _NOISE.format(name=name, step=number(model.step)),
    ]
    return "\n".join(lines)


def _parameters(model: Model, sources: Mapping[str, str]) -> Iterable[str]:
    for title, group in model.constants.items():
        yield f"* {title}"
        for one in group:
            yield f"+ {one.name}={number(one.value)} ; {_about(one, sources)}"


def _about(constant: Constant, sources: Mapping[str, str]) -> str:
    source = source_of(constant, sources)
    said = f"{constant.unit}: {constant.meaning}" if constant.unit else constant.meaning
    return _clean(f"{said} [{source}]" if source else said)


def _clean(text: str) -> str:
    """A comment of one line, in which nothing is taken for a command."""
    return " ".join(text.split()).replace("$", "").replace(";", ",")


def _words(model: Model) -> dict[str, str]:
    """What the names in expressions are called in a subcircuit."""
    words = {one.name: f"{{{one.name}}}" for one in model.all_constants}
    words |= {line.name: f"{{{line.name}}}" for line in model.lines}
    words |= {line.name: f"V({line.name})" for field in model.fields for line in field.lines}
    words |= {name: f"V({name})" for name in ("mx", "my", "mz", "nx", "ny", "nz", "bx", "by", "bz", "mb", "mm")}
    end = "mid" if model.spin_orbit else "t2"
    voltage = f"V(j,{end})"
    words |= {"junction_voltage": voltage, "gate_voltage": voltage, "junction_current": "i(Vj)"}
    words["torque_current"] = "(0.5*(i(Va)+i(Vb)))"
    warm = bool(model.heat)
    words["temp_now"] = "({temperature}+V(tr))" if warm else "{temperature}"
    if model.magnetisation == "1":
        words |= {"ms_now": "{Ms}", "soft_now": "1"}
    elif warm:
        words |= {"ms_now": "({Ms}*V(ms_share))", "soft_now": "V(bk_share)"}
    else:
        words |= {"ms_now": "({Ms}*{ms_share})", "soft_now": "{bk_share}"}
    words["noise_rate"] = "V(noise_rate)" if warm else "{noise_rate}"
    return words


def _said(model: Model, expression: str) -> str:
    """An expression in the words of a behavioural source."""
    words = _words(model)
    return _WORD.sub(lambda found: words.get(found[0], found[0]), expression)


def _in_braces(model: Model, expression: str) -> str:
    """An expression of parameters alone, for a .param line."""
    return _said(model, expression).replace("{", "(").replace("}", ")")


def _derived(model: Model) -> Iterable[str]:
    yield "* what follows from them"
    for line in model.lines:
        yield f".param {line.name}={{{_in_braces(model, line.expression)}}} ; {line.meaning}"
    if model.heat:
        return
    if model.magnetisation != "1":
        yield f".param ms_share={{{_in_braces(model, model.magnetisation)}}} ; Ms at the temperature over Ms"
        yield f".param bk_share={{{_in_braces(model, model.softening)}}} ; Bk at the temperature over Bk"
    root = _in_braces(model, "noise_per_root*temp_now/ms_now")
    yield f".param noise_rate={{sqrt({root})}} ; 1/ns: turns m about each axis, times a standard normal"


def _path(model: Model) -> Iterable[str]:
    """Where the current flows."""
    conductance = None if model.tmr is None else _said(model, model.tmr)
    if not model.spin_orbit:
        yield "* the junction"
        yield "Vj t1 j 0"
        yield "Rj j t2 {max(R_write,1e-3)}" if conductance is None else f"Bj j t2 I=V(j,t2)*{conductance}"
    else:
        yield "* the heavy metal, in two halves"
        yield from ("Va t1 a 0", "Ra a mid {max(R_write,1e-3)/2}", "Vb mid b 0", "Rb b t2 {max(R_write,1e-3)/2}")
        if model.top:
            yield "* the junction on it"
            yield "Vj t3 j 0"
            yield "Rj j mid 1e12" if conductance is None else f"Bj j mid I=V(j,mid)*{conductance}"
    if model.hall is not None:
        current = "torque_current" if model.spin_orbit else "junction_current"
        yield "* the Hall voltage"
        yield f"Bh vh 0 V={_said(model, f'{current}*{model.hall}')}"


def _power(model: Model) -> str:
    if not model.spin_orbit:
        return "V(t1,t2)*i(Vj)"
    halves = "V(t1,mid)*i(Va)+V(mid,t2)*i(Vb)"
    return f"{halves}+V(t3,mid)*i(Vj)" if model.top else halves


def _thermal(model: Model) -> Iterable[str]:
    """The heat as a current into a chain of resistors and capacitors (Foster), one K a volt, one W an ampere."""
    if not model.heat:
        return
    yield "* the Joule heat: one volt is one kelvin, one ampere one watt"
    yield f"Bp 0 tr I={_power(model)}"
    places = ["tr", *(f"h{n}" for n in range(1, len(model.heat))), "0"]
    for n, (R, tau) in enumerate(model.heat):
        yield f"Rh{n + 1} {places[n]} {places[n + 1]} {{{R}}}"
        yield f"Ch{n + 1} {places[n]} {places[n + 1]} {{{tau}/{R}}}"
    if model.magnetisation != "1":
        yield f"Bms ms_share 0 V={_said(model, model.magnetisation)} ; Ms over the stated one"
        yield f"Bbk bk_share 0 V={_said(model, model.softening)} ; Bk over the stated one"
    root = _said(model, "sqrt(noise_per_root*max(temp_now,1e-9)/ms_now)")
    yield f"Bnr noise_rate 0 V={root} ; 1/ns: turns m about each axis, times a standard normal"


def _equation(model: Model) -> Iterable[str]:
    """The effective field and the LLG equation."""
    for field in model.fields:
        for line in field.lines:
            yield f"B_{line.name} {line.name} 0 V={_said(model, line.expression)} ; {_clean(line.meaning)}"
    for place, i in enumerate("xyz"):
        yield f"* effective field along {i}, T"
        yield f"Bb{i} b{i} 0 V=0"
        for field in model.fields:
            if field.components[place] != "0":
                yield f"+ +({_said(model, field.components[place])}) ; {_clean(field.title)}"
    yield "* m.B and m.m"
    yield "Bmb mb 0 V=V(mx)*V(bx)+V(my)*V(by)+V(mz)*V(bz)"
    yield "Bmm mm 0 V=V(mx)*V(mx)+V(my)*V(my)+V(mz)*V(mz)"
    yield "* dm/dt = -gamma/(1+alpha^2) [m x B + alpha m x (m x B)] + noise_rate (n x m), per ns"
    for i, j, k in ("xyz", "yzx", "zxy"):
        rate = f"-gamma_ns*(m{j}*b{k}-m{k}*b{j}+alpha*(m{i}*mb-mm*b{i}))+noise_rate*(n{j}*m{k}-n{k}*m{j})+hold*(1-mm)*m{i}"
        yield f"Bm{i} 0 m{i} I={_said(model, rate)}"
        yield f"Cm{i} m{i} 0 1n"
        yield f".ic V(m{i})={{m{i}0}}"
