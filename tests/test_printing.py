"""`repr` shows numbers with units, and makes no difference to what is traced."""

import jax
import numpy as np

import mtjax as mtj
from mtjax.fitting import Estimates
from mtjax.printing import shown


def test_repr_is_the_call_with_units():
    pulse = mtj.Pulse(1.2e-4, 5e-9, rise=3e-10)
    assert repr(pulse) == "Pulse(amplitude=120 uA, width=5 ns, delay=0 s, rise=300 ps, fall=0 s)"


def test_repr_of_a_device_shows_every_number():
    device = mtj.presets.sengupta2016()
    text = repr(device)
    assert "f64[" not in text
    assert "f32[" not in text
    for words in ("Ms=", "A/m", "alpha=", "temperature=300 K", "EllipticCylinder(length="):
        assert words in text
    assert max(map(len, text.splitlines())) <= 120


def test_repr_of_a_fit_has_standard_errors():
    found = Estimates(("Bk", "alpha"), ("T", ""), np.array([0.22, 0.011]), np.array([0.003, 0.002]), (True, True))
    assert repr(found) == "Estimates(Bk=220 mT +- 3 mT, alpha=0.011 +- 0.002)"


def test_many_numbers_are_shown_by_their_shape():
    assert "float64[100]" in shown(mtj.PiecewiseLinear(np.linspace(0, 1e-9, 100), np.ones(100)))


def test_traced_numbers_are_called_traced():
    texts = []

    @jax.jit
    def half(pulse):
        texts.append(repr(pulse))
        return 0.5 * pulse.amplitude

    half(mtj.Pulse(1e-4, 5e-9))
    assert texts[0].startswith("Pulse(amplitude=traced A")
