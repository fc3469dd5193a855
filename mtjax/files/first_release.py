"""What the first release wrote: classes as `module:Class`, parameters by leaf number, a plan among the options."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Encoded = dict[str, Any]
Decode = Callable[[Any], Any]

RENAMED = {
    "mtjax.equilibrium:Well": "StartWell",
    "mtjax.grid:Grid": "TimeGrid",
    "mtjax.nn.joint:Design": "FreeDevice",
    "mtjax.readout:Estimate": "Sampled",
}
"""Classes that have another name today; all others keep theirs."""


def upgraded(x: Encoded, decode: Decode) -> Encoded:
    """An encoded module of the first release as it is written today; others as they are."""
    spelling = x["class"]
    module, colon, name = spelling.rpartition(":")
    if not colon or module.split(".")[0] != "mtjax":
        return x
    change = _CHANGED.get(spelling, lambda x, decode: x)
    return {**change(x, decode), "class": RENAMED.get(spelling, name)}


def _fokker_planck(x: Encoded, decode: Decode) -> Encoded:
    """What the engine chose stood among the options: it is a plan where nothing was left to choose."""
    options = {name: x[name] for name in ("tolerance", "relative") if name in x}
    chosen = {name: x.get(name) for name in ("lmax", "mmax", "degree", "axisymmetric", "pieces", "pattern")}
    if None in chosen.values():
        return {**options, "lmax": chosen["lmax"], "mmax": chosen["mmax"]}
    return {**options, "plan": {"class": "Plan", **chosen, "hopping": x.get("hopping", False)}}


def _switching_model(x: Encoded, decode: Decode) -> Encoded:
    """Fitted numbers went to numbered leaves of the device and of the lapse."""
    device, lapse = decode(x["device"]), decode(x["lapse"])
    names = {p.leaf: p.name for p in importlib.import_module("mtjax.devices").all_parameters(device)}
    of_lapse = [] if lapse is None else [name for name, *_ in lapse.quantities]

    def target(t: Encoded) -> Encoded:
        return {**t, "class": "Target", "name": of_lapse[t["leaf"]] if t["of_lapse"] else names[t["leaf"]]}

    return {**x, "targets": [target(t) for t in x["targets"]]}


_CHANGED = {
    "mtjax.fokker_planck:FokkerPlanck": _fokker_planck,
    "mtjax.model:SwitchingModel": _switching_model,
}
