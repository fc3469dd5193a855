"""Butler et al., IEEE Trans. Magn. 48, 4684 (2012): the error rate of long pulses falls with the slope -2 (i - 1).

How far the closed form lies from the solution for long pulses is said in its docstring; the Fokker-Planck equation is the judge.
"""

import jax
import numpy as np
import pytest

import mtjax as mtj


@pytest.mark.parametrize("i", [1.5, 4.0])
def test_the_slope_of_long_pulses(i):
    def log_rate(tau):
        return jax.numpy.log(mtj.analytic.butler_write_error_rate(tau, i, 60.0))

    assert float(jax.grad(log_rate)(20.0)) == pytest.approx(-2 * (i - 1), rel=1e-4)


def test_the_slope_is_that_of_the_fokker_planck_equation():
    """To first order in 1/delta: at 60 within 2 (3 - i) / (delta (i - 1)), 3 % at i = 2."""
    device = mtj.presets.perpendicular_stt(60.0)
    tau, I = device.relaxation_time, 2.0 * device.critical_current
    short, long = (
        mtj.switching_probability(device, mtj.Pulse(I, n * tau), relax=0.0, method=mtj.FokkerPlanck()).complement
        for n in (6.0, 8.0)
    )
    assert float(np.log(long / short)) / 2.0 == pytest.approx(-2.0, rel=0.03)


def test_how_far_the_closed_form_is_off():
    for i, off in {1.5: 2.6, 2.0: 1.6, 3.5: 1.0, 4.0: 1 / 1.1, 10.0: 1 / 1.4, 30.0: 1 / 1.5}.items():
        tau = 20.0 / (i - 1)
        ratio = mtj.analytic.butler_write_error_rate(tau, i, 1e6) / mtj.analytic.write_error_rate(tau, i, 1e6)
        assert float(ratio) == pytest.approx(off, rel=0.04)
