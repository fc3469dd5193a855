"""Numbers as people and programs write them: decimal points and commas, groups of thousands, exponents."""

from __future__ import annotations

import re
from collections.abc import Iterable

_EXPONENT = r"(?:[eEdD][+-]?\d{1,3})?"
_SIMPLE = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_PLAIN = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}")
_COMMA = re.compile(rf"[+-]?(?:\d+,\d*|,\d+|\d{{1,3}}(?:\.\d{{3}})+,\d+){_EXPONENT}")
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_GROUPED_BY_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_SIGNS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u00a0": "", "\u202f": "", "\u2009": "", "\uff0b": "+"})


def tidied(entry: str) -> str:
    """An entry without blanks around it, its minus sign that of the keyboard."""
    return entry.translate(_SIGNS).strip()


def number_in(entry: str, decimal: str = ".") -> float | None:
    """The number that `entry` is, or `None`; `decimal` is the mark before its fraction, a point or a comma.

    >>> import mtjax as mtj
    >>> [mtj.files.number_in(text, ",") for text in ("0,45", "1.000", "1e-9", "many")]
    [0.45, 1000.0, 1e-09, None]
    >>> [mtj.files.number_in(text) for text in ("0.45", "1,000", "2.5D-9", "1_000")]
    [0.45, 1000.0, 2.5e-09, None]
    """
    if decimal == "." and _SIMPLE.fullmatch(entry):
        return float(entry)
    text = tidied(entry)
    if _NOT_FINITE.fullmatch(text):
        return float(text)
    if decimal == ",":
        if not (_COMMA.fullmatch(text) or _GROUPED_BY_POINTS.fullmatch(text) or (_PLAIN.fullmatch(text) and "." not in text)):
            return None
        text = text.replace(".", "").replace(",", ".")
    elif _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif not _PLAIN.fullmatch(text):
        return None
    return float(re.sub("[dD]", "e", text))


def looks_numeric(entry: str) -> bool:
    """Whether `entry` is a number with a decimal point or with a decimal comma."""
    return number_in(entry) is not None or number_in(entry, ",") is not None


def decimal_mark(entries: Iterable[tuple[int, str]], path: str) -> str:
    """The mark, a point or a comma, that stands before fractions in `entries`, pairs of a line's number and what stands there.

    Raises `ValueError` where both do, or where nothing tells 1,234 as one and some from 1,234 as a thousand and some.
    """
    comma = point = either = None
    for line, entry in entries:
        text = tidied(entry)
        if "," in text and _EITHER.fullmatch(text):
            either = either or (line, text)
        elif "," in text and _COMMA.fullmatch(text) and not (text.count(",") > 1):
            comma = comma or (line, text)
        elif _has_point(text):
            point = point or (line, text)
    if comma and point:
        raise ValueError(
            f"{path!r} must have decimal points or decimal commas, but line {point[0]} has {point[1]!r} and line {comma[0]} "
            f"{comma[1]!r}."
        )
    if either and not (comma or point):
        raise ValueError(
            f"{either[1]!r} in line {either[0]} of {path!r} can be {either[1].replace(',', '.')} (a decimal comma) or "
            f"{either[1].replace(',', '')} (a comma between thousands): say which by `decimal`, a comma or a point."
        )
    return "," if comma else "."


def _has_point(text: str) -> bool:
    """Whether a number has a decimal point, or commas that can only stand between thousands."""
    if "." in text:
        return number_in(text) is not None and not _GROUPED_BY_POINTS.fullmatch(text)
    return text.count(",") > 1 and bool(_GROUPED.fullmatch(text))
