"""The range of currents of a neuron, found on curves whose ends are known in closed form."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.nn.laws.switching_range import switching_range


class Curve(mtj.switching.AbstractMethod):
    """A probability that depends on the current only."""

    curve: Callable[[float], float] = eqx.field(static=True)

    @property
    def name(self):
        return "a curve"

    def probability(self, device, pulse, relax):
        p = jnp.asarray(self.curve(float(pulse(0.5e-9))))
        return mtj.Probability(p, 1 - p, None, self)


def build(current):
    return mtj.presets.perpendicular_stt(), mtj.Pulse(current, 1e-9)


@pytest.mark.parametrize("centre", [37e-6, 3e-3])
def test_a_logistic_curve_is_bracketed(centre):
    low, high = switching_range(build, Curve(lambda i: float(jax.nn.sigmoid((i - centre) / (0.05 * centre)))))
    edge = np.log(0.998 / 0.002) * 0.05
    assert centre * (1 - edge) / 1.16 < low <= centre * (1 - edge)
    assert centre * (1 + edge) <= high < centre * (1 + edge) * 1.16


def test_a_device_that_switches_by_itself_begins_at_a_negative_current():
    low, high = switching_range(build, Curve(lambda i: float(jax.nn.sigmoid((i + 5e-6) / 4e-6))))
    ends = np.array([-5e-6 - 4e-6 * np.log(499), -5e-6 + 4e-6 * np.log(499)])
    assert 2 * ends[0] < low <= ends[0]
    assert ends[1] <= high < 1.16 * ends[1]


def test_a_curve_that_falls_again_ends_at_its_maximum():
    low, high = switching_range(build, Curve(lambda i: 0.8 * float(np.exp(-((np.log(i / 1e-4) / 0.5) ** 2)))))
    assert low < 4e-5
    assert high == pytest.approx(1e-4, rel=0.08)


def test_too_low_a_maximum_is_told():
    with pytest.raises(ValueError, match=r"must reach 0.6 .* but its maximum is 0.49, at 9\d.\d+ uA"):
        switching_range(build, Curve(lambda i: 0.49 * float(jax.nn.sigmoid((i - 5e-5) / 2e-6) - (i > 1e-4) * 0.1)))
    with pytest.raises(ValueError, match=r"but its maximum is 0, at .* must start on the other side"):
        switching_range(build, Curve(lambda i: 0.0))
