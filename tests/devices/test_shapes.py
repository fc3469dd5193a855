"""Demagnetisation factors against other formulas, other integrals, and printed values."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate, special

from mtjax.devices import Ellipsoid, EllipticCylinder, Prism

jax.config.update("jax_enable_x64", val=True)

SHAPES = (EllipticCylinder, Prism, Ellipsoid)
SIZES = ((100e-9, 40e-9, 1.2e-9), (50e-9, 50e-9, 1e-9), (30e-9, 80e-9, 200e-9))


@eqx.filter_jit
def of_sizes(shape, sizes):
    return shape(*sizes).demagnetisation_factors()


def factors(shape, *lengths):
    return np.asarray(of_sizes(shape, jnp.asarray(lengths, float)))


def joseph(p):
    """Axial factor of a circular cylinder, p = thickness/diameter: Joseph, J. Appl. Phys. 37, 4639 (1966)."""
    m = 1 / (1 + p**2)
    bracket = np.sqrt(1 + p**2) * (p**2 * special.ellipk(m) + (1 - p**2) * special.ellipe(m)) - 1
    return 1 - 4 / (3 * np.pi * p) * bracket


def wall_charges(length, width, thickness):
    """Nx, Ny of an elliptic cylinder: Coulomb energy of the charges m.n on its wall, integrated around it twice."""
    a, b, t = length / 2, width / 2, thickness
    mean = (np.arange(400) + 0.5) * np.pi / 200

    def energy(log_apart, part):
        half = np.exp(log_apart) / 2
        d = 2 * np.sin(half) * np.hypot(a * np.sin(mean), b * np.cos(mean))
        between_lines = 2 * (t * np.arcsinh(t / d) - t**2 / (np.hypot(t, d) + d))
        charges = part(mean + half) * part(mean - half)
        return 2 * half * np.mean(charges * between_lines)

    def factor(part, semi):
        total = integrate.quad(energy, -45, np.log(np.pi), (part,), epsabs=1e-14, epsrel=1e-12, limit=1000)[0]
        return total * semi**2 / (np.pi * a * b * t)

    return factor(np.cos, b), factor(np.sin, a)


def aharoni(a, b, c):
    """Nz of a prism of edges 2a, 2b, 2c: Aharoni, J. Appl. Phys. 83, 3432 (1998), eq. 1."""
    ab, bc, ac, abc = np.hypot(a, b), np.hypot(b, c), np.hypot(a, c), np.sqrt(a**2 + b**2 + c**2)
    return (
        (b**2 - c**2) / (2 * b * c) * np.log((abc - a) / (abc + a))
        + (a**2 - c**2) / (2 * a * c) * np.log((abc - b) / (abc + b))
        + b / (2 * c) * np.log((ab + a) / (ab - a))
        + a / (2 * c) * np.log((ab + b) / (ab - b))
        + c / (2 * a) * np.log((bc - b) / (bc + b))
        + c / (2 * b) * np.log((ac - a) / (ac + a))
        + 2 * np.arctan(a * b / (c * abc))
        + (a**3 + b**3 - 2 * c**3) / (3 * a * b * c)
        + (a**2 + b**2 - 2 * c**2) / (3 * a * b * c) * abc
        + c / (a * b) * (ac + bc)
        - (ab**3 + bc**3 + ac**3) / (3 * a * b * c)
    ) / np.pi


def test_elliptic_cylinder_has_the_printed_factors():
    # The printed ones carry an error of 5e-5 (their sum is 0.99999); the next test is the sharp one.
    np.testing.assert_allclose(factors(EllipticCylinder, 100e-9, 40e-9, 1.2e-9), [0.01409, 0.05117, 0.93473], atol=6e-5)


@pytest.mark.parametrize("size", [(100, 40, 1.2), (1, 1, 1), (1, 3, 2), (20, 1, 50), (10, 9, 0.01)])
def test_elliptic_cylinder_agrees_with_the_energy_of_its_wall_charges(size):
    np.testing.assert_allclose(factors(EllipticCylinder, *size)[:2], wall_charges(*size), atol=1e-11)


@pytest.mark.parametrize("p", [0.01, 0.1, 1.0, 10.0])
def test_circular_cylinder_agrees_with_joseph(p):
    nz = joseph(p)
    np.testing.assert_allclose(factors(EllipticCylinder, 1.0, 1.0, p), [(1 - nz) / 2, (1 - nz) / 2, nz], atol=1e-11)


def test_long_elliptic_cylinder_tends_to_the_plane_ellipse():
    np.testing.assert_allclose(factors(EllipticCylinder, 3.0, 1.0, 1e6), [0.25, 0.75, 0], atol=1e-6)


def test_prism_has_the_factors_of_standard_problem_2():
    np.testing.assert_allclose(factors(Prism, 5.0, 1.0, 0.1), [0.02183, 0.11522, 0.86295], atol=5e-6)


@pytest.mark.parametrize("size", [(5, 1, 0.1), (100, 40, 1.2), (1, 1, 1), (1, 30, 30), (2, 3, 50)])
def test_prism_agrees_with_aharoni(size):
    a, b, c = (edge / 2 for edge in size)
    expected = [aharoni(b, c, a), aharoni(c, a, b), aharoni(a, b, c)]
    np.testing.assert_allclose(factors(Prism, *size), expected, atol=1e-11)


@pytest.mark.parametrize("shape", [Prism, Ellipsoid])
def test_cube_and_sphere_have_a_third(shape):
    np.testing.assert_allclose(factors(shape, 7e-9, 7e-9, 7e-9), np.full(3, 1 / 3), atol=1e-15)


@pytest.mark.parametrize("size", [(5, 1, 0.1), (100, 40, 1.2), (1, 30, 30), (1000, 30, 1)])
def test_ellipsoid_agrees_with_carlson_by_scipy(size):
    a, b, c = np.array(size) / 2
    squares = np.array([[b, c, a], [c, a, b], [a, b, c]]) ** 2
    np.testing.assert_allclose(factors(Ellipsoid, *size), a * b * c / 3 * special.elliprd(*squares.T), rtol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_the_trace_is_one(shape, size):
    assert factors(shape, *size).sum() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_gradients_agree_with_central_differences(shape, size):
    size, step = np.array(size), 1e-4

    def by_scale(scale):
        return of_sizes(shape, size * scale)

    expected = [(by_scale(1 + step * e) - by_scale(1 - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(jax.jacrev(by_scale)(jnp.ones(3)), np.array(expected).T, atol=1e-8)
    np.testing.assert_allclose(jax.jacfwd(by_scale)(jnp.ones(3)), np.array(expected).T, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_float32_keeps_six_digits_also_in_the_gradient(shape, size):
    single, double = jnp.asarray(size, jnp.float32), jnp.asarray(size)
    assert of_sizes(shape, single).dtype == jnp.float32
    np.testing.assert_allclose(of_sizes(shape, single), of_sizes(shape, double), atol=1e-6)
    slope = jax.jacrev(lambda sizes: of_sizes(shape, sizes))
    np.testing.assert_allclose(slope(single) * single, slope(double) * double, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_batch_of_shapes_under_jit(shape):
    sizes = jnp.asarray(SIZES)
    batch = eqx.filter_vmap(lambda s: shape(*s))(sizes)
    together = eqx.filter_jit(eqx.filter_vmap(lambda s: s.demagnetisation_factors()))(batch)
    np.testing.assert_allclose(together, [factors(shape, *s) for s in SIZES], atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "volume", "area"),
    [(EllipticCylinder, np.pi / 4, np.pi / 4), (Prism, 1, 1), (Ellipsoid, np.pi / 6, np.pi / 4)],
)
def test_volume_and_area(shape, volume, area):
    body = shape(100e-9, 40e-9, 2e-9)
    assert float(body.volume) == pytest.approx(volume * 8e-24)
    assert float(body.area) == pytest.approx(area * 4e-15)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bad", [0.0, -1e-9, np.nan, np.inf])
def test_lengths_must_be_positive(shape, bad):
    with pytest.raises(ValueError, match="`width` of .* must be finite and positive"):
        shape(100e-9, bad, 1e-9)
