"""Laws that come with the package, made by `scripts/distil_laws.py` and `scripts/distil_family.py`."""

from pathlib import Path

from mtjax.nn.family import PerpendicularLaw
from mtjax.nn.laws import ChebyshevLaw

_STORED = Path(__file__).parent / "stored"


def sengupta2016_law() -> ChebyshevLaw:
    """The law of `mtjax.presets.sengupta2016()` under 0.5 ns pulses, 0 to 150 uA, from Fokker-Planck."""
    return ChebyshevLaw.load(_STORED / "sengupta2016.json")


def perpendicular_law() -> PerpendicularLaw:
    """The law of the family of `mtjax.presets.perpendicular_stt(20.0)` under 10 ns pulses, from Fokker-Planck.

    `of(device, width)` gives that of another barrier, size or pulse.
    """
    return PerpendicularLaw.load(_STORED / "perpendicular.npz")
