"""Beetle mortality: deaths against the logarithm of the dose, by a logistic line.

Bliss, Ann. Appl. Biol. 22, 134 (1935), table IV; the fit of Dobson, An Introduction to Generalized Linear Models, section 7.3.1, and
of R's `glm(..., family = binomial)`: -60.717455 (5.180701), 34.270326 (2.912134), deviance 11.232231 on 6 degrees of freedom.

Here the dose is the current of a pulse, and the line a method of its own: `fit`, its errors and its deviance are asked. Its search
ends within a thousandth of a standard error.
"""

import dataclasses

import jax
import numpy as np
import pytest

import mtjax as mtj
from mtjax.switching import AbstractMethod, Probability

DOSE = [1.6907, 1.7242, 1.7552, 1.7842, 1.8113, 1.8369, 1.8610, 1.8839]
DIED, BEETLES = [6, 13, 18, 28, 52, 53, 61, 60], [59, 60, 62, 56, 63, 59, 62, 60]


class Line(mtj.AbstractEnergy):
    """No energy: a place for two quantities."""

    intercept: jax.Array = mtj.quantity("")
    slope: jax.Array = mtj.quantity("")

    def energy(self, m, magnet, drive):
        return 0.0 * m.x


class Logistic(AbstractMethod):
    @property
    def name(self):
        return "a logistic line"

    def probability(self, device, pulse, relax):
        u = device[Line].intercept + device[Line].slope * pulse.amplitude
        return Probability(jax.nn.sigmoid(u), jax.nn.sigmoid(-u), None, self)


def test_a_logistic_line_through_beetles():
    plain = mtj.presets.perpendicular_stt(40.0)
    device = dataclasses.replace(plain, terms=(plain[mtj.UniaxialAnisotropy], Line(-50.0, 30.0)))
    data = mtj.SwitchingData(current=DOSE, width=1e-9, switched=DIED, trials=BEETLES)
    found = mtj.fit(device, data, where=("intercept", "slope"), method=Logistic(), relax=0.0)
    errors = np.array([5.180701, 2.912134])
    assert np.abs(found.estimates.value - np.array([-60.717455, 34.270326])) / errors == pytest.approx([0.0, 0.0], abs=1e-3)
    assert found.estimates.stderr == pytest.approx(errors, rel=1e-4)
    assert found.deviance == pytest.approx(11.232231, rel=1e-6)
    assert found.dof == 6
    correlation = found.covariance[0, 1] / np.prod(found.estimates.stderr)
    assert -1 < correlation < -0.99
