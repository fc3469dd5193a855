"""What a heading means: the name of a quantity and its unit, in the many spellings of laboratories."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mtjax.files.units import is_unit

_BRACKETED = re.compile(r"(.*?)\s*[(\[{<]\s*([^()\[\]{}]+(?:\([^()]*\)[^()]*)?)\s*[)\]}>]\s*(.*)")
_FILLERS = frozenset(
    re.split(
        " ",
        "pulse pulsed write writing applied app set source sourced sot stt mtj ext external in plane inplane dc nominal the of "
        "per number num no amplitude amp peak height drive input device name",
    )
)
"""Words that say nothing about which quantity it is."""
_GLUED = re.compile(
    r"\b([nvuijtphbr])(pulse|write|applied|app|appl|sot|stt|mtj|ext|dc|set|bias|sw|switch|switched|switching|trials?|shots?|reps?|tot|total|"
    r"before|after|init|initial|final|pre|post|[xyz])\b"
)


def readings(heading: str) -> Iterator[tuple[str, str]]:
    """The ways to read a heading as a name and a unit, the likeliest first.

    >>> import mtjax as mtj
    >>> [next(mtj.files.readings(h)) for h in ("V (mV)", "tp_ns", "I/uA", "J [A/m^2]", "Pulse width s", "P_sw")]
    [('V', 'mV'), ('tp', 'ns'), ('I', 'uA'), ('J', 'A/m^2'), ('Pulse width', 's'), ('P_sw', '')]
    """
    text = heading.strip().strip('"')
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed and is_unit(bracketed[2]):
        yield f"{bracketed[1]} {bracketed[3]}".strip(), bracketed[2]
    for pattern in (r"([^/]+?)\s*/\s*(.+)", r"(.+?)\s+in\s+(.+)", r"(.+),\s*(\S+)"):
        found = re.fullmatch(pattern, text)
        if found and is_unit(found[2]):
            yield found[1], found[2]
    leading = re.fullmatch(r"(%|percent)\s*(.+)", text)
    if leading:
        yield leading[2], "%"
    yield from _behind(text)
    yield from _behind(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text))
    yield text, ""
    if is_unit(text):
        yield "", text


def _behind(text: str) -> Iterator[tuple[str, str]]:
    """A unit as the last words of a heading, as in tp_ns, Pulse width s, J_A_per_m2, J_MA_cm2."""
    parts = re.split(r"([\s_.\-]+)", text)
    for words in (4, 3, 2, 1):
        unit = " ".join(parts[::2][-words:]).replace(" per ", "/")
        unit = unit.replace(" ", "/") if words == 2 else unit
        if len(parts[::2]) > words and is_unit(unit):
            yield "".join(parts[: -2 * words]), unit


def plain_name(name: str) -> str:
    """A name in small letters without its filling words, as the tables of known names have it: "Write pulse, V" is "v".

    >>> import mtjax as mtj
    >>> [mtj.files.plain_name(text) for text in ("Applied in-plane field", "Psw", "nTrials", "P(switch)", "Vpulse")]
    ['field', 'p sw', 'n trials', 'p switch', 'v']
    """
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.replace("µ", "mu").replace("μ", "mu").replace("#", "n"))
    words = re.findall(r"[^\W_]+", split.lower())
    apart = " ".join(_GLUED.sub(r"\1 \2", word) for word in words)
    return " ".join(word for word in apart.split() if word not in _FILLERS)
