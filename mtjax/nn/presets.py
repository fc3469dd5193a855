"""Laws that come with the package, made by `scripts/distil_laws.py`."""

from pathlib import Path

from mtjax.nn.laws import ChebyshevLaw

_STORED = Path(__file__).parent / "stored"


def sengupta2016_law() -> ChebyshevLaw:
    """The law of `mtjax.presets.sengupta2016()` under 0.5 ns pulses, 0 to 150 uA, from Fokker-Planck."""
    return ChebyshevLaw.load(_STORED / "sengupta2016.json")
