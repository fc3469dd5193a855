"""Devices in files that people read and edit."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from mtjax.devices.device import Device
from mtjax.devices.grains import Grains
from mtjax.files import as_toml, from_toml, write_whole


def write_device(
    device: Device | Grains, path: str | PathLike[str], *, title: str = "", sources: Mapping[str, str] | None = None
) -> None:
    r"""Write a whole `device` to a TOML file: layers, terms, heating, saturation law and read-out, with units as comments.

    `read_device` reads it, edited or not; unedited it is the same to the last bit.

    - `path`: of the file, which is replaced where it exists.
    - `title`: a comment at the top.
    - `sources`: where values are from, for the comments, by "FreeLayer.Ms", or "FreeLayer" for all of its values, or "" for
      all others.

    Raises `ValueError` where a class of the device is neither mtjax's nor registered (`mtjax.files.register`).

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> mtj.write_device(mtj.presets.perpendicular_stt(40.0), path, sources={"FreeLayer.Ms": "VSM, wafer 7"})
    >>> print("\n".join(path.read_text().splitlines()[5:9]))
    [layer]
    class = "FreeLayer"
    Ms = 1000000.0 # A/m; VSM, wafer 7
    alpha = 0.01
    >>> print(f"{mtj.read_device(path).delta:.1f} kT")
    40.0 kT
    """
    notes = sources or {}
    text = as_toml(device, lambda owner, name: source_in(notes, owner, name), title)
    write_whole(path, text)


def source_in(sources: Mapping[str, str], owner: str, name: str) -> str:
    """Where the value `name` of the class `owner` is from, by its full name, its class, or "" for all others.

    >>> import mtjax as mtj
    >>> mtj.devices.source_in({"FreeLayer.Ms": "VSM", "": "assumed"}, "FreeLayer", "alpha")
    'assumed'
    """
    return next((sources[key] for key in (f"{owner}.{name}", owner, "") if key in sources), "")


def read_device(path: str | PathLike[str], *, classes: tuple[type, ...] = ()) -> Device | Grains:
    """The device in a TOML file that `write_device` (or `mtjax presets NAME --write FILE`) wrote and people edit.

    Values are in SI units, or text with a unit: `length = 4e-8` or `length = "40 nm"`. What has a default may be left out.

    - `path`: of the file.
    - `classes`: of your own in it, that are neither mtjax's nor registered (`mtjax.files.register`).

    Raises `ValueError`, with the name of the file, where it is missing or no TOML, a class or a name is unknown (the nearest
    one is told), or a value is missing, of a wrong type or unit, or out of range.

    >>> import pathlib, tempfile
    >>> import mtjax as mtj
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> mtj.write_device(mtj.presets.sengupta2016(), path)
    >>> edited = path.write_text(path.read_text().replace("alpha = 0.0122", "alpha = 0.02"))
    >>> print(f"damping {mtj.read_device(path).layer.alpha:.3f}")
    damping 0.020
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(
            f"The device must be in a file, but {str(path)!r} {'is a folder' if path.is_dir() else 'does not exist'}."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} must be text in UTF-8, but is not.") from None
    found = from_toml(text, Device, str(path), classes)
    if not isinstance(found, Device | Grains):
        raise ValueError(f"{path} must hold a Device, but holds {type(found).__name__}.")
    return found
