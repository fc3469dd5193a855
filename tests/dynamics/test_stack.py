"""Coupled layers: thermal equilibrium against quadrature, order of convergence, starts, gradients, a mode's frequency."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.constants import GAMMA, KB

SAMPLES = 20_000
J, J2 = 6e-6, -4e-6
SPLIT, HEUN = mtj.SplitStep(), mtj.Heun()


def layer(Ms, thickness, alpha, Bk, B=0.0, start=(0.0, 0.0, 1.0), temperature=300.0):
    shape = mtj.EllipticCylinder(30e-9, 30e-9, thickness)
    terms = (mtj.UniaxialAnisotropy(Bk), mtj.AppliedField((0.0, 0.0, B)))
    return mtj.Device(mtj.FreeLayer(shape, Ms=Ms, alpha=alpha), terms, start=start, temperature=temperature)


def warm():
    """Two unlike layers of some kT, coupled by some kT."""
    first, second = layer(8e5, 1e-9, 0.3, 0.03, B=0.01), layer(5e5, 2e-9, 0.2, -0.02)
    return mtj.Stack((first, second), (mtj.InterlayerExchange(J, J2),))


def boltzmann(stack):
    """Means of m1z, m2z, m1z^2, m2z^2 and m1.m2 by quadrature over z1, z2 and the angle between, from energies written out."""
    z, w = np.polynomial.legendre.leggauss(80)
    phi = 2 * np.pi * (np.arange(64) + 0.5) / 64
    z1, z2, c = np.meshgrid(z, z, np.cos(phi), indexing="ij")
    weights = w[:, None, None] * w[None, :, None] * np.ones_like(c)
    dot = z1 * z2 + np.sqrt((1 - z1**2) * (1 - z2**2)) * c
    mu1, mu2, area = 8e5 * 1e-9, 5e5 * 2e-9, np.pi * 225e-18
    energy = mu1 * (-0.015 * z1**2 - 0.01 * z1) + mu2 * 0.01 * z2**2 - J * dot - J2 * dot**2
    p = np.exp(-energy * area / (KB * 300)) * weights
    return [np.sum(p * f) / np.sum(p) for f in (z1, z2, z1**2, z2**2, dot)]


def observed(ms):
    ms = np.asarray(ms[:, -1], np.float64)
    return [ms[:, 0, 2], ms[:, 1, 2], ms[:, 0, 2] ** 2, ms[:, 1, 2] ** 2, np.sum(ms[:, 0] * ms[:, 1], -1)]


def is_boltzmann(ms, expected):
    for sample, mean in zip(observed(ms), expected, strict=True):
        assert abs(sample.mean() - mean) < 4 * sample.std() / sample.size**0.5, (sample.mean(), mean)


def run(solver, samples, **options):
    start = [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]
    return mtj.simulate(
        warm(), duration=12e-9, samples=samples, key=jax.random.key(1), save=1, start=start, solver=solver, **options
    )


def test_boltzmann_of_two_coupled_layers():
    """A temperature wrong by 5 % moves <m1.m2> by 6 standard errors of 20,000 samples."""
    with jax.enable_x64(False):
        found = run(SPLIT, SAMPLES)
        assert found.ms.dtype == jnp.float32
        assert found.ms.shape == (SAMPLES, 1, 2, 3)
    assert float(jnp.max(jnp.abs(jnp.sum(found.ms**2, -1) - 1))) < 1e-5
    is_boltzmann(found.ms, boltzmann(warm()))


@pytest.mark.slow
@pytest.mark.parametrize("solver", [SPLIT, HEUN], ids=lambda s: type(s).__name__)
def test_boltzmann_of_two_coupled_layers_thoroughly(precision, solver):
    """To 1 % of <m1.m2>, 0.24."""
    is_boltzmann(run(solver, 400_000).ms, boltzmann(warm()))


@pytest.mark.slow
@pytest.mark.parametrize("solver", [SPLIT, HEUN], ids=lambda s: type(s).__name__)
def test_boltzmann_of_three_coupled_layers(precision, solver):
    """A chain without anisotropy: <m1.m2> = L(j), <m1.m3> = L(j)^2 with Langevin's function L."""
    free = layer(6e5, 1e-9, 0.3, 0.0)
    j = 1.5
    chain = mtj.InterlayerExchange(j * KB * 300 / (np.pi * 225e-18))
    stack = mtj.Stack((free, free, free), (chain, dataclasses.replace(chain, layers=(1, 2))))
    found = mtj.simulate(stack, duration=6e-9, samples=200_000, key=jax.random.key(2), save=1, start=np.eye(3), solver=solver)
    ms, L = np.asarray(found.ms[:, -1], np.float64), 1 / np.tanh(j) - 1 / j
    for (a, b), mean in {(0, 1): L, (1, 2): L, (0, 2): L**2}.items():
        dots = np.sum(ms[:, a] * ms[:, b], -1)
        assert abs(dots.mean() - mean) < 4 * dots.std() / dots.size**0.5


def test_drawn_starts_are_boltzmann_where_the_layers_are_near_the_minimum():
    """Against all of the equilibrium, restricted to where both layers are up."""
    stack = warm()
    ups = mtj.Stack((stack.layers[0], dataclasses.replace(stack.layers[1], terms=stack.layers[0].terms)), stack.couplings)
    well = mtj.dynamics.well_of(ups)
    drawn = jax.jit(jax.vmap(lambda n: well.drawn(jax.random.key(3), n).array()))(jnp.arange(SAMPLES))[:, None]
    z, w = np.polynomial.legendre.leggauss(60)
    z, w = (z + 1) / 2, w / 2
    z1, z2, c = np.meshgrid(z, z, np.cos(2 * np.pi * (np.arange(64) + 0.5) / 64), indexing="ij")
    dot = z1 * z2 + np.sqrt((1 - z1**2) * (1 - z2**2)) * c
    energy = 8e-4 * (-0.015 * z1**2 - 0.01 * z1) + 1e-3 * (-0.015 * z2**2 - 0.01 * z2) - J * dot - J2 * dot**2
    p = np.exp(-energy * np.pi * 225e-18 / (KB * 300)) * w[:, None, None] * w[None, :, None]
    is_boltzmann(drawn, [np.sum(p * f) / np.sum(p) for f in (z1, z2, z1**2, z2**2, dot)])


def antiferromagnet(J=-4e-4, temperature=0.0):
    up = layer(1e6, 1.5e-9, 0.02, 0.1, B=0.05, temperature=temperature)
    down = dataclasses.replace(layer(7e5, 2e-9, 0.05, 0.1, B=0.05, temperature=temperature), start=(0.0, 0.0, -1.0))
    return mtj.Stack((up, down), (mtj.InterlayerExchange(J),))


START = np.array([[0.6, 0.0, 0.8], [0.0, -0.28, -0.96]])


@pytest.fixture(scope="module")
def precise():
    return mtj.simulate(
        antiferromagnet(), duration=0.2e-9, start=START, solver=mtj.Adaptive(rtol=1e-11, atol=1e-11), save=2
    ).ms[0, -1]


@pytest.mark.parametrize(("solver", "steps", "order"), [(HEUN, (200, 400, 800), 2), (SPLIT, (100, 200, 400), 4)])
def test_order_of_convergence_of_antiferromagnetically_coupled_layers(precise, solver, steps, order):
    def error(number):
        found = mtj.simulate(antiferromagnet(), duration=0.2e-9, start=START, solver=solver, dt=0.2e-9 / number, save=2)
        return float(jnp.max(jnp.abs(found.ms[0, -1] - precise)))

    errors = [error(number) for number in steps]
    assert errors[0] < 0.1
    for coarse, fine in zip(errors, errors[1:], strict=False):
        assert order - 0.3 < np.log2(coarse / fine) < order + 1.3


def test_layers_without_coupling_move_as_devices_do():
    stack = mtj.Stack(antiferromagnet().layers)
    pulse = mtj.Excitation(field=mtj.Pulse(0.1, 0.1e-9).along((1, 0, 0)))
    both = mtj.simulate(stack, pulse, duration=0.2e-9, start=START, dt=1e-12, save=5, solver=HEUN)
    for number, device in enumerate(stack.layers):
        alone = mtj.simulate(device, pulse, duration=0.2e-9, start=START[number], dt=1e-12, save=5, solver=HEUN)
        np.testing.assert_allclose(both.ms[:, :, number], alone.ms, atol=1e-12)


def test_samples_have_noise_of_their_own_whatever_the_chunk():
    stack, fixed = antiferromagnet(temperature=300.0), {"start": START, "solver": HEUN, "dt": 1e-12}
    found = [
        mtj.simulate(stack, duration=0.05e-9, samples=n, chunk=c, key=jax.random.key(4), save=2, **fixed).ms
        for n, c in ((3, 512), (5, 2))
    ]
    np.testing.assert_allclose(found[0], found[1][:3], atol=1e-12)
    ends = np.asarray(found[1][:, -1])
    assert len(np.unique(np.round(ends.reshape(-1, 3), 6), axis=0)) == 10


def test_gradient_through_a_trajectory_against_differences():
    options = {"start": START, "dt": 1e-12, "key": jax.random.key(5), "save": 1, "solver": HEUN}

    def final(J):
        found = mtj.simulate(antiferromagnet(J, 300.0), duration=0.05e-9, **options)
        return found.ms[0, -1, 1, 0]

    slope = float(jax.grad(final)(-4e-4))
    assert slope == pytest.approx(float(final(-4e-4 + 1e-8) - final(-4e-4 - 1e-8)) / 2e-8, rel=1e-6)


def test_the_default_step_and_duration_suit_the_coupling():
    stack = antiferromagnet()
    field = 4e-4 / (1e6 * 1.5e-9)
    dt = float(mtj.dynamics.default_step(stack, mtj.off(), SPLIT))
    assert 0.2 < dt * GAMMA * 2 * field / float(SPLIT.longest(jnp.array(0.02))) < 1.0
    found = mtj.simulate(stack, start=START, save=2)
    assert float(jnp.max(jnp.abs(found.ms[0, -1, :, :2]))) < 0.05
    assert "final mean m = (" in str(found)


def test_a_start_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"`start` must have shape \(2, 3\) or \(4, 2, 3\), but has \(3,\)"):
        mtj.simulate(antiferromagnet(), samples=4, start=(0.0, 0.0, 1.0))
