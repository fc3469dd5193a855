"""The operators on the sphere against quadrature and against an independent sketch."""

import sys

import jax.numpy as jnp
import numpy as np
import pytest
from places import SHARED

from mtjax.switching.fokker_planck import Flow, ellipse, exponential, stencil
from mtjax.switching.fokker_planck.chebyshev import bessel
from mtjax.switching.fokker_planck.drift import drift_flow
from mtjax.switching.fokker_planck.generator import apply
from mtjax.switching.fokker_planck.harmonics import legendre

REFERENCE = SHARED / "reference" / "fokker_planck_sphere.py"


@pytest.fixture(scope="module")
def reference():
    if not REFERENCE.is_file():
        pytest.skip("the independent sketch ../shared/reference/fokker_planck_sphere.py is absent")
    sys.path.insert(0, str(REFERENCE.parent))
    import fokker_planck_sphere

    return fokker_planck_sphere


def velocity(field, damping_like, field_like, sigma, alpha):
    """-(m x B + alpha m x (m x B)) with Bk = 1 along z."""
    sigma = jnp.asarray(sigma)[:, None]

    def at(m):
        axis = jnp.array([[0.0], [0.0], [1.0]])
        B = jnp.asarray(field)[:, None] + m[2] * axis + damping_like * jnp.cross(m, sigma, axis=0) + field_like * sigma
        torque = jnp.cross(m, B, axis=0)
        return -(torque + alpha * jnp.cross(m, torque, axis=0))

    return at


def flow_and_speed(alpha, delta, *args):
    phi, psi, v = drift_flow(velocity(*args, alpha), 2, jnp.zeros(()).dtype)
    return Flow(phi, psi, jnp.asarray(alpha / (2 * delta))), jnp.sqrt(jnp.max(jnp.sum(v**2, axis=0)))


def as_square(coefficients, lmax):
    out = np.zeros((lmax + 1, lmax + 1), complex)
    for l in range(lmax + 1):
        out[: l + 1, l] = coefficients[l * l + l : l * l + 2 * l + 1]
    return out


def random_coefficients(rng, lmax):
    out = np.zeros((lmax + 1) ** 2, complex)
    for l in range(lmax + 1):
        for m in range(l + 1):
            value = rng.normal() + 1j * rng.normal() * (m > 0)
            out[l * l + l + m], out[l * l + l - m] = value, (-1) ** m * np.conj(value)
    return out


CASE = ((0.1, 0.2, -0.1), 0.6, 0.2, (0.3, 0.8, 0.1))


def test_generator_equals_the_sketch_with_every_term(reference):
    lmax, alpha, delta = 20, 0.05, 40.0
    shape = stencil(lmax, lmax, 2)
    x = random_coefficients(np.random.default_rng(1), lmax)
    expected = as_square(reference.generator(lmax, alpha, delta, *CASE) @ x, lmax)
    re, im = apply(shape, flow_and_speed(alpha, delta, *CASE)[0], shape.pack(jnp.asarray(as_square(x, lmax))))
    np.testing.assert_allclose(np.asarray(shape.square(re)) + 1j * np.asarray(shape.square(im)), expected, atol=2e-12)


def test_adjoint_is_the_transpose_for_the_scalar_product_on_the_sphere():
    lmax, mmax = 16, 11
    shape = stencil(lmax, mmax, 2)
    flow, _ = flow_and_speed(0.05, 40.0, *CASE)
    rng = np.random.default_rng(2)
    u, v = (shape.pack(jnp.asarray(as_square(random_coefficients(rng, lmax), lmax)[: mmax + 1])) for _ in range(2))

    def product(a, b):
        return float(jnp.sum(shape.weights * (a[0] * b[0] + a[1] * b[1])))

    forward, backward = product(u, apply(shape, flow, v)), product(apply(shape, flow, u, adjoint=True), v)
    assert forward == pytest.approx(backward, rel=1e-12)
    assert abs(forward) > 1


def test_legendre_functions_equal_scipys():
    special = pytest.importorskip("scipy.special")
    u = np.array([-0.9, 0.1, 0.77])
    ours = legendre(12, 9, tuple(u))
    for l, m in [(0, 0), (1, 1), (5, 3), (12, 9), (12, 0)]:
        np.testing.assert_allclose(ours[m, l], special.sph_harm_y(l, m, np.arccos(u), 0.0).real, rtol=1e-12)


@pytest.mark.parametrize("z", [0.01, 3.0, 100.0, 200.0])
def test_bessel_functions_equal_scipys(z):
    special = pytest.importorskip("scipy.special")
    np.testing.assert_allclose(bessel(jnp.asarray(z), 512), special.jv(np.arange(512), z), atol=1e-14)


def test_exponential_equals_the_dense_one(reference):
    linalg = pytest.importorskip("scipy.linalg")
    lmax, alpha, delta, time = 12, 0.3, 6.0, 7.0
    shape = stencil(lmax, lmax, 2)
    flow, speed = flow_and_speed(alpha, delta, *CASE)
    x = random_coefficients(np.random.default_rng(3), lmax)
    expected = linalg.expm(time * reference.generator(lmax, alpha, delta, *CASE).toarray()) @ x
    where = ellipse(shape.lmax, flow.D, speed)
    re, im = exponential(shape, 4, flow, jnp.asarray(time), where, shape.pack(jnp.asarray(as_square(x, lmax))))
    found = np.asarray(shape.square(re)) + 1j * np.asarray(shape.square(im))
    np.testing.assert_allclose(found, as_square(expected, lmax), atol=1e-11)
