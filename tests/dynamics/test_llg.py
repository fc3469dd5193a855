"""The noise as diffrax sees it: its own solver of ordinary making follows the same path as the package's."""

import diffrax as dfx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.dynamics import StepPath, prepare, thermal

DEVICE = mtj.presets.perpendicular_stt(40.0)
PULSE = mtj.Pulse(1e-4, 5e-9)


def test_noise_turns_m_about_its_axis():
    dynamics = prepare(DEVICE, PULSE, 1e-12)
    m, w = mtj.Vector.of(jnp.array([0.6, 0.0, 0.8])), mtj.Vector.of(jnp.array([0.3, -1.2, 0.5], jnp.float32))
    kick = thermal(0.0, m, dynamics).mv(w).array()
    D = float(DEVICE.magnet.diffusion(DEVICE.temperature)) * 1e9
    np.testing.assert_allclose(kick, np.sqrt(2 * D * 1e-12) * np.cross(w.array(), m.array()), rtol=1e-6)


def apart(dt, steps):
    """Mean distance after `steps` steps between the paths of SplitStep and of diffrax's Heun with the same increments."""
    dynamics, solver = prepare(DEVICE, PULSE, dt), mtj.SplitStep()
    m0 = mtj.Vector.of(jnp.array([0.6, 0.0, 0.8]))

    def ends(sample):
        path = StepPath(jax.random.key(1), sample)
        terms = dfx.MultiTerm(dfx.ODETerm(dynamics.precession), dfx.ControlTerm(thermal, path))
        options = {"saveat": dfx.SaveAt(t1=True), "args": dynamics, "max_steps": None}
        theirs = dfx.diffeqsolve(terms, dfx.Heun(), 0.0, float(steps), 1.0, m0, **options).ys
        y0 = solver.enter(dynamics, m0)
        ours = dfx.diffeqsolve(terms.terms[1], solver, 0.0, float(steps), 1.0, y0, **options).ys
        last = jax.tree.map(lambda x: x[-1], ours)
        return solver.leave(dynamics, float(steps), last).array(), jax.tree.map(lambda x: x[-1], theirs).array()

    ours, theirs = jax.jit(jax.vmap(ends))(jnp.arange(64))
    return float(jnp.mean(jnp.linalg.norm(ours - theirs, axis=-1)))


def test_diffrax_own_solver_follows_the_same_path():
    """At a step 16 times as short over the same time, 4 times as close: strong order 1/2."""
    coarse, fine = apart(2e-12, 50), apart(1.25e-13, 800)
    assert 0 < coarse < 0.1
    assert fine < coarse / 3


def test_stages_in_turn_are_those_of_one_kernel():
    """A large step, so that every entry of the tableau matters."""
    dynamics = prepare(mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 1e-9), 5e-11)
    drive, m = dynamics.drive(1), mtj.Vector.of(jnp.array([0.36, 0.48, 0.8]))
    ways = (mtj.dynamics.merson, mtj.dynamics.merson_in_turn)
    joined, in_turn = (
        step(lambda m, share: (1 + share) * dynamics.rate(m, drive), m, dynamics.angle()).array() for step in ways
    )
    assert np.linalg.norm(joined - m.array()) > 0.3
    np.testing.assert_allclose(in_turn, joined, rtol=1e-12)


@pytest.mark.parametrize("spread", [0.1, 0.2, 0.3])
def test_a_random_rotation_diffuses_as_brownian_motion_does(spread):
    """E[P_l(m.m')] = exp(-l(l+1) spread^2 / 2) over all 27 three-point numbers, to sixth order; without the widening to fourth."""
    points, weights = np.array([-(3**0.5), 0.0, 3**0.5]), np.array([1.0, 4.0, 1.0]) / 6
    x, y, z = (a.ravel() for a in np.meshgrid(points, points, points))
    weight = np.prod(np.meshgrid(weights, weights, weights), axis=0).ravel()
    width = float(mtj.dynamics.widened(spread))
    start = mtj.Vector.of([0.3, 0.4, 0.75**0.5])
    turned = jax.vmap(lambda w: mtj.dynamics.cayley(start, mtj.Vector.of(w)))(width * np.stack([x, y, z], axis=1))
    along = np.asarray(turned @ start)
    for degree, polynomial in ((1, along), (2, 1.5 * along**2 - 0.5)):
        off = np.sum(weight * polynomial) - np.exp(-degree * (degree + 1) * spread**2 / 2)
        assert abs(off) < 4 * degree**4 * spread**6
