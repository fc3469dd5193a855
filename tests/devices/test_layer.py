"""The gyromagnetic ratio sets the scale of time, and of nothing else."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj

FASTER = 1.25
DEVICE = mtj.presets.perpendicular_stt(20.0)


def with_gamma(device, factor):
    gamma = factor * mtj.constants.GAMMA
    return dataclasses.replace(device, layer=dataclasses.replace(device.layer, gyromagnetic_ratio=gamma))


def test_the_default_is_that_of_the_electron():
    assert float(DEVICE.layer.gamma) == mtj.constants.GAMMA
    same = with_gamma(DEVICE, 1.0)
    assert float(same.magnet.gamma) == pytest.approx(float(DEVICE.magnet.gamma), rel=1e-15)
    with pytest.raises(ValueError, match="`gyromagnetic_ratio` of FreeLayer must be finite and positive, but is -1"):
        dataclasses.replace(DEVICE.layer, gyromagnetic_ratio=-1.0)


def test_figures():
    fast = with_gamma(DEVICE, FASTER)
    assert float(fast.delta) == pytest.approx(float(DEVICE.delta), rel=1e-12)
    assert float(fast.critical_current) == pytest.approx(float(DEVICE.critical_current), rel=1e-12)
    assert float(fast.relaxation_time) == pytest.approx(float(DEVICE.relaxation_time) / FASTER, rel=1e-12)
    assert float(mtj.rates(fast).out) == pytest.approx(FASTER * float(mtj.rates(DEVICE).out), rel=1e-6)


def test_probabilities():
    fast, current, width = with_gamma(DEVICE, FASTER), 1.5 * DEVICE.critical_current, 4 * DEVICE.relaxation_time
    for method in (mtj.FokkerPlanck(), mtj.ThermalActivation()):
        slow = mtj.switching_probability(DEVICE, mtj.Pulse(current, width), relax=0.0, method=method)
        quick = mtj.switching_probability(fast, mtj.Pulse(current, width / FASTER), relax=0.0, method=method)
        assert float(quick.value) == pytest.approx(float(slow.value), rel=1e-6)
    law, quick = (mtj.nn.NeelBrownLaw.of(d, w) for d, w in ((DEVICE, width), (fast, width / FASTER)))
    assert float(quick.logit(0.7 * current)) == pytest.approx(float(law.logit(0.7 * current)), rel=1e-9)


def test_trajectories():
    """Precession and damping about a field, against the closed form."""
    cold = dataclasses.replace(
        with_gamma(DEVICE, FASTER), temperature=jnp.asarray(0.0), terms=(mtj.AppliedField((0.0, 0.0, 0.3)),)
    )
    ms = mtj.simulate(cold, duration=1e-10, start=(1.0, 0.0, 0.0), save=3, solver=mtj.Adaptive()).ms[0]
    expected = mtj.analytic.precession(np.linspace(0.0, 1e-10, 3), 0.3, cold.layer.alpha, gamma=FASTER * mtj.constants.GAMMA)
    np.testing.assert_allclose(ms, expected, atol=1e-7)
