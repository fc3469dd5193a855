"""A heated metal film on an oxide, by closed solutions of the heat equation.

Carslaw and Jaeger, Conduction of Heat in Solids (2nd edition, 1959): a constant flux into a perfect conductor that lies on a
semi-infinite solid, by Laplace transformation (chapter 12): with C and e = sqrt(kappa c) per area and b = e/C the rise under the
flux q is (q/C) [2 sqrt(t/pi) / b - (1 - exp(b^2 t) erfc(b sqrt t)) / b^2]. An oxide of finite thickness d differs from
it by exp(-c d^2 / (kappa t)), below 1e-9 here.
"""

import jax
import numpy as np
import pytest
from scipy.special import erfcx

import mtjax as mtj

AREA, POWER = 1e-12, 2e-3


def rise(t, film, conductivity=1.4, capacity=1.6e6, metal=3e6):
    """Rise of a film (m) on a thick oxide at time `t` (s) after `POWER` was switched on, K."""
    C = metal * film
    b = np.sqrt(conductivity * capacity) / C
    return POWER / AREA / C * (2 * np.sqrt(t / np.pi) / b - (1 - erfcx(b * np.sqrt(t))) / b**2)


def modes(oxide, film, **how):
    return mtj.film_on_oxide(length=1e-6, width=1e-6, oxide=oxide, film=film, **how)


def found(heating, t):
    return float(heating.history(mtj.Pulse(1.0, 1e-4), POWER, 0.0)(t))


def test_one_nanosecond_on_300_nm():
    assert rise(1e-9, 10e-9) == pytest.approx(29.2, abs=0.05)
    assert found(modes(300e-9, 10e-9), 1e-9) == pytest.approx(rise(1e-9, 10e-9), rel=0.01)
    assert found(modes(300e-9, 10e-9, modes=1), 1e-9) < 0.4 * rise(1e-9, 10e-9)


@pytest.mark.parametrize(("oxide", "film", "shortest"), [(300e-9, 20e-9, 1e-10), (1e-6, 10e-9, 1e-9), (100e-9, 5e-9, 1e-10)])
def test_rises_from_the_shortest_time_on(oxide, film, shortest):
    heating = modes(oxide, film, shortest=shortest)
    for t in shortest * np.geomspace(1.0, 5.0, 4):
        assert found(heating, t) == pytest.approx(rise(t, film), rel=0.01)
    assert found(heating, 1e-4) == pytest.approx(POWER * oxide / 1.4 / AREA, rel=1e-9)


def test_the_number_of_modes_is_known_or_given():
    assert len(modes(100e-9, 20e-9, shortest=1e-8).time) < len(modes(100e-9, 20e-9, shortest=1e-11).time)
    slope = jax.grad(lambda d: found_sum(modes(d, 20e-9, modes=4)))(100e-9)
    step = (found_sum(modes(101e-9, 20e-9, modes=4)) - found_sum(modes(99e-9, 20e-9, modes=4))) / 2e-9
    assert float(slope) == pytest.approx(float(step), rel=1e-3)
    with pytest.raises(ValueError, match="`modes` must be given where thicknesses or constants are traced"):
        jax.grad(lambda d: found_sum(modes(d, 20e-9)))(100e-9)
    with pytest.raises(ValueError, match="asks for more than 256 modes"):
        modes(10e-6, 5e-9, shortest=1e-11)


def found_sum(heating):
    """The slowest and the fastest time, in ns, weighted with their resistances."""
    return (heating.time * heating.resistance).sum() / heating.resistance.sum() * 1e9
