"""Which column of a table holds what: the names of quantities in headings, and their units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from mtjax.files import Table, is_unit, plain_name, readings


class Quantity(NamedTuple):
    """The SI unit of a quantity, and the names that headings have for it, in small letters and without filling words."""

    unit: str
    names: frozenset[str]


def _named(unit: str, names: str) -> Quantity:
    return Quantity(unit, frozenset(name.strip() for name in names.split(",")))


COLUMNS: dict[str, Quantity] = {
    "current": _named("A", "i, current, currents, i bias, bias current, current bias, i p, ip, strom"),
    "voltage": _named(
        "V",
        "v, u, voltage, voltages, volts, volt, bias, v bias, bias voltage, voltage bias, v p, vp, spannung",
    ),
    "current_density": _named("A/m^2", "j, current density, density, i, current, stromdichte"),
    "width": _named(
        "s",
        "width, widths, duration, length, time, t, t p, tp, tpw, t pw, pw, tau, w, t w, delta t, dt, t on, on "
        "time, fwhm, tau p, pulsbreite, pulsdauer",
    ),
    "switched": _named(
        "",
        "switched, switches, switch, n switched, n sw, nsw, n switch, switched n, count, counts, switched "
        "count, switched counts, switch count, switch counts, switching count, switching counts, flips, "
        "flipped, n flipped, n flips, events, switching events, successes, success, n success, hits, k, n "
        "switches, n ap, switching, switched events",
    ),
    "trials": _named(
        "",
        "n, trials, n trials, shots, n shots, reps, n reps, rep, repetitions, n repetitions, repeats, n "
        "repeats, attempts, n attempts, total, n total, n tot, total n, total trials, total shots, total "
        "pulses, pulses, n pulses, cycles, n cycles, samples, n samples, tries, tests, n tests, events total, "
        "total events, n0, total counts, total count, trial count, versuche",
    ),
    "errors": _named(
        "",
        "errors, n errors, n error, error count, errors count, failures, n failures, fails, n fails, misses, "
        "not switched, n not switched, unswitched, n unswitched, non switched, write errors",
    ),
    "error_rate": _named(
        "",
        "wer, ber, error rate, error probability, failure rate, failure probability, p error, non switching "
        "probability, errors",
    ),
    "probability": _named(
        "",
        "p, p sw, psw, p switch, p switched, p switching, probability, prob, switching probability, switch "
        "probability, probability switching, switched probability, sw prob, switching prob, switch prob, prob "
        "sw, prob switch, sw probability, probability sw, fraction, switched fraction, switching fraction, "
        "share, switched share, rate, switching rate, switch rate, switched rate, ratio, switching ratio, "
        "success rate, success probability, p ap, pr, prsw, switched, switches, switching, wahrscheinlichkeit",
    ),
    "field": _named(
        "T",
        "h, b, field, magnetic field, h x, h y, h z, hx, hy, hz, b x, b y, b z, bx, by, bz, field x, field y, "
        "field z, x field, y field, z field, mu0 h, mu0h, mu 0 h, h app, bias field, flux density, induction, "
        "magnetic induction, feld, magnetfeld",
    ),
    "temperature": _named(
        "K",
        "temperature, temp, temperatures, t stage, t sample, t chuck, stage temperature, sample temperature, "
        "temperatur",
    ),
    "direction": _named("", "direction, dir, transition, switching direction, from to"),
    "device_id": _named(
        "",
        "device_id, id, device name, junction, dut, cell, cell id, junction id, chip, die",
    ),
    "resistance_before": _named("ohm", ""),
    "resistance_after": _named("ohm", ""),
}  # fmt: skip
"""The columns of a file: their SI units, and the names by which headings are recognised."""
TEXT = ("direction", "device_id")
COUNTS = ("switched", "trials", "errors")
"""What has no unit: a number of per cent is no count."""
_WEAK = _named("", "time, t, n, w, k, rate, ratio, id, total, samples, cycles, events, count, counts, length").names
"""Names that give way to another column of the same quantity."""
AMPLITUDES = ("current", "voltage", "current_density")
_BEFORE, _AFTER = "before|init|initial|pre|start|begin|0", "after|final|post|end|1"
_SHOTS = re.compile(
    rf"(?:r|res|resistance|state)\s?(?:(?P<before>{_BEFORE})|(?P<after>{_AFTER}))|"
    rf"(?:(?P<before2>{_BEFORE})|(?P<after2>{_AFTER}))\s(?:r|res|resistance|state)"
)
_MEGA = ("V", "A", "s", "T")
"""Units that are never mega here: MV can only be mV in capitals."""


class Column(NamedTuple):
    """A column that is understood: its number in the table, from 0, and the unit of its heading ("" where none is stated)."""

    place: int
    unit: str
    chosen: bool = False


def locate(table: Table, columns: Mapping[str, str | int | None]) -> dict[str, Column]:
    """Which columns hold what: as `columns` says (a heading or a number from 1, maybe with a unit; `None`: none), or by name.

    Raises `ValueError` where a choice is not there, or where two columns could both be the same quantity.
    """
    unknown = sorted(columns.keys() - COLUMNS.keys())
    if unknown:
        raise ValueError(f"Columns can be named for {', '.join(COLUMNS)}, but not for {', '.join(unknown)}.")
    found = {name: _chosen(table, name, str(choice)) for name, choice in columns.items() if choice is not None}
    taken = {column.place for column in found.values()}
    names = {i: recognised(heading) for i, heading in enumerate(table.headings) if i not in taken}
    for name in COLUMNS.keys() - columns.keys():
        places = [i for i, reading in names.items() if reading and reading[0] == name]
        strong = [i for i in places if plain_name(names[i][2]) not in _WEAK]  # pyright: ignore[reportOptionalSubscript]
        places = strong or places
        if len(places) > 1:
            first, second = (repr(table.headings[i]) for i in places[:2])
            if first == second:
                table.place(table.headings[places[0]])
            raise ValueError(
                f"{table.path!r} has two columns that can be the {name.replace('_', ' ')}, {first} and {second}: choose by "
                f"`columns`, {name}={table.headings[places[0]]!r} or {name}={table.headings[places[1]]!r}."
            )
        if places:
            found[name] = Column(places[0], names[places[0]][1])  # pyright: ignore[reportOptionalSubscript]
    return _one_amplitude({name: found[name] for name in COLUMNS if name in found}, table)


def recognised(heading: str) -> tuple[str, str, str] | None:
    """The quantity and the unit that a heading names, and its name without the unit; `None` where it is not understood.

    >>> from mtjax.fitting.counts.columns import recognised
    >>> [recognised(heading) for heading in ("V_pulse (mV)", "tp_ns", "T (K)", "P_sw", "comment")]
    [('voltage', 'mV', 'V_pulse'), ('width', 'ns', 'tp'), ('temperature', 'K', 'T'), ('probability', '', 'P_sw'), None]
    """
    for name, unit in readings(heading) if heading else ():
        for quantity in _called(name, unit):
            fitted = _fitting_unit(unit, COLUMNS[quantity].unit)
            if quantity.startswith("resistance"):
                return quantity, unit, name
            if fitted is not None and not (unit and quantity in COUNTS):
                return quantity, fitted, name
    return None


def _called(name: str, unit: str) -> list[str]:
    """The quantities of that name; those of the unit, where there is no name but words that fill."""
    plain = plain_name(name)
    if name == "T":
        return ["temperature", "width"] if unit else ["temperature"]
    shot = _SHOTS.fullmatch(plain)
    if shot:
        return ["resistance_before" if shot["before"] or shot["before2"] else "resistance_after"]
    if plain:
        return [quantity for quantity, known in COLUMNS.items() if plain in known.names]
    if name.strip().lower() in ("device", "device_id", "device id"):
        return ["device_id"]
    return [quantity for quantity in (*AMPLITUDES, "width", "field", "temperature") if unit] or []


def _fitting_unit(unit: str, si: str) -> str | None:
    """The unit, spelled as it is meant, if it is one like `si`; "" stays ""."""
    if not unit:
        return ""
    if unit.startswith("M") and si in _MEGA and is_unit("m" + unit[1:], si):
        return "m" + unit[1:]
    return unit if is_unit(unit, si) else None


def _chosen(table: Table, name: str, choice: str) -> Column:
    """The column of a choice: an exact heading, or a heading or number with a unit behind."""
    si = COLUMNS[name].unit
    if choice in table.headings:
        fits = [(unit, fitted) for _, unit in readings(choice) if (fitted := _fitting_unit(unit, si)) is not None]
        return Column(table.place(choice), "" if name in TEXT else fits[0][1] if fits else "", chosen=True)
    for wanted, unit in readings(choice):
        place = _place_of(table, wanted)
        if place is None or _fitting_unit(unit, si) is None:
            continue
        stated = [u for _, u in readings(table.headings[place]) if u and is_unit(u, si)]
        if unit and stated and stated[0] != unit:
            raise ValueError(
                f"{table.path!r} gives the unit {stated[0]!r} in the heading {table.headings[place]!r}, but {unit!r} is chosen "
                f"for `{name}`."
            )
        return Column(place, unit or (stated[0] if stated else ""), chosen=True)
    raise ValueError(f"{table.path!r} must have the columns {choice}, but has {table.described}.")


def _place_of(table: Table, wanted: str) -> int | None:
    """The column of a number from 1, or of a heading, its unit and capitals apart."""
    if wanted.isdigit() and 1 <= int(wanted) <= len(table.headings):
        return int(wanted) - 1
    alike = [h for h in table.headings if h and wanted.lower() in {name.lower() for name, _ in readings(h)}]
    return table.place(alike[0]) if len(set(alike)) == 1 else None


def _one_amplitude(found: dict[str, Column], table: Table) -> dict[str, Column]:
    """One amplitude: the chosen one before others; raises `ValueError` where two are left."""
    there = [name for name in AMPLITUDES if name in found]
    chosen = [name for name in there if found[name].chosen] or there
    if len(chosen) > 1:
        first, second = (table.label(found[name].place) for name in chosen[:2])
        raise ValueError(
            f"{table.path!r} must give the amplitude as current or as voltage, not both, but has {first} ({chosen[0]}) and "
            f"{second} ({chosen[1]}): choose by `columns`, as {chosen[1]}=None (on the command line: --columns {chosen[1]}=)."
        )
    return {name: column for name, column in found.items() if name not in there or name in chosen}
