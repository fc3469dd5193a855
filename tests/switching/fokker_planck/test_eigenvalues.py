"""Hopping rates against eigenvalues of a generator made otherwise, and against Brown's formula at any height of the barrier."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special

import mtjax as mtj
from mtjax.constants import CHARGE as E, GAMMA, HBAR, KB
from mtjax.switching import rates

SIZE, THICKNESS, MS = 40e-9, 1.5e-9, 8e5
VOLUME = np.pi / 4 * SIZE**2 * THICKNESS
ALPHA = 0.5


def slowest(degree, velocity, D):
    """Smallest eigenvalue beside 0 of the backward equation v.grad + D lap, on spherical harmonics by quadrature."""
    n = degree + 6
    u, w = np.polynomial.legendre.leggauss(n)
    theta, phi = (a.ravel() for a in np.meshgrid(np.arccos(u), np.arange(2 * n) * np.pi / n, indexing="ij"))
    l, m = np.array([(l, m) for l in range(degree + 1) for m in range(-l, l + 1)]).T[:, :, None]
    values, slopes = special.sph_harm_y(l, m, theta, phi, diff_n=1)
    s, c = np.sin(theta), np.cos(theta)
    v = velocity(np.stack([s * np.cos(phi), s * np.sin(phi), c]))
    along_theta = np.sum(v * np.stack([c * np.cos(phi), c * np.sin(phi), -s]), axis=0)
    along_phi = np.sum(v * np.stack([-np.sin(phi), np.cos(phi), 0 * phi]), axis=0)
    moved = slopes[..., 0] * along_theta + slopes[..., 1] * along_phi / s
    weight = np.repeat(w, 2 * n) * np.pi / n
    eigenvalues = -np.linalg.eigvals((values.conj() * weight) @ moved.T - np.diag(D * (l * (l + 1.0))[:, 0]))
    found = eigenvalues[np.argsort(np.abs(eigenvalues))][1]
    assert abs(found.imag) < 1e-6 * found.real
    return found.real


def in_tesla(delta):
    return 2 * delta * KB * 300.0 / (MS * VOLUME)


def expected(degree, quadratic, quartic, B, current=0.0):
    """With the field `quadratic` m (T), `quartic` (1 - mz^2) mz along z, B, and spins along -x of a current of 0.3 theta_sh."""
    B_DL = HBAR * 0.3 * (current / (SIZE * 3e-9)) / (2 * E * MS * THICKNESS)

    def velocity(m):
        field = np.asarray(quadratic)[:, None] * m + np.asarray(B)[:, None]
        field = field + np.stack([0 * m[0], 0 * m[0], quartic * (1 - m[2] ** 2) * m[2]])
        field = field + B_DL * np.cross(m, np.array([[-1.0], [0.0], [0.0]]), axis=0)
        turned = np.cross(m, field, axis=0)
        return -GAMMA / (1 + ALPHA**2) * (turned + ALPHA * np.cross(m, turned, axis=0))

    return slowest(degree, velocity, GAMMA * ALPHA * KB * 300.0 / ((1 + ALPHA**2) * MS * VOLUME))


def layer():
    return mtj.FreeLayer(mtj.EllipticCylinder(SIZE, SIZE, THICKNESS), Ms=MS, alpha=ALPHA)


def biaxial(delta, B, ratio=2.0):
    """Easy along x, hard along z, in a field B (over Bk), and its quadratic field."""
    Bk = in_tesla(delta)
    terms = (
        mtj.UniaxialAnisotropy(Bk, axis=(1.0, 0.0, 0.0)),
        mtj.UniaxialAnisotropy(-ratio * Bk, axis=(0.0, 0.0, 1.0)),
        mtj.SpinOrbitTorque(theta_sh=0.3, width=SIZE, thickness=3e-9, sigma=(-1.0, 0.0, 0.0)),
        mtj.AppliedField(Bk * np.array(B)),
    )
    return mtj.Device(layer(), terms, start=(1.0, 0.0, 0.0)), (Bk, 0.0, -ratio * Bk), Bk * np.array(B)


def cone(delta, B):
    """An easy cone of 45 degrees about z with a barrier of `delta` at its equator, its two constants (T), and the field B (over them)."""
    Bk = 8 * in_tesla(delta)
    terms = (mtj.UniaxialAnisotropy(-Bk / 2), mtj.SecondOrderAnisotropy(Bk), mtj.AppliedField(Bk * np.array(B)))
    return mtj.Device(layer(), terms), (0.0, 0.0, -Bk / 2), Bk, Bk * np.array(B)


FIELDS = [(0.2, 0.0, 0.0), (0.0, 0.2, 0.0), (0.1, 0.1, 0.1)]


@pytest.mark.parametrize(
    ("B", "drive"), [(FIELDS[0], 0.2), (FIELDS[1], 0.0), (FIELDS[2], 0.2)], ids=["along", "across", "oblique"]
)
@pytest.mark.parametrize("delta", [4.0, pytest.param(0.5, marks=pytest.mark.slow)])
def test_biaxial_rates_equal_the_smallest_eigenvalue(delta, B, drive):
    device, quadratic, field = biaxial(delta, B)
    current = drive * float(device.critical_current)
    found = rates(device, current, lmax=24, mmax=20)
    degree = {0.5: 10, 4.0: 17}[delta]  # more changes the answer by less than 2e-4
    assert float(found.slowest) == pytest.approx(expected(degree, quadratic, 0.0, field, current), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("drive", [0.0, 0.2])
@pytest.mark.parametrize("B", [*FIELDS, (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("delta", [0.5, 2.0, 8.0])
def test_biaxial_rates_equal_the_smallest_eigenvalue_with_a_truncation_of_their_own(delta, B, drive):
    device, quadratic, field = biaxial(delta, B)
    current = drive * float(device.critical_current)
    degree = {0.5: 14, 2.0: 18, 8.0: 30}[delta]
    assert float(rates(device, current).slowest) == pytest.approx(expected(degree, quadratic, 0.0, field, current), rel=1e-2)


@pytest.mark.slow
def test_a_high_barrier_in_an_oblique_field_equals_the_smallest_eigenvalue():
    """A field that leaves about 12 kT of the barrier, so that double precision tells the eigenvalue."""
    delta = 20.0
    h = 1 - np.sqrt(12 / delta)
    device, quadratic, field = biaxial(delta, (-0.9 * h, 0.1 * h, 0.0), ratio=0.5)
    found = rates(device)
    assert float(found.slowest) == pytest.approx(expected(38, quadratic, 0.0, field), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("delta", [0.5, 2.0, 10.0])
def test_rates_of_easy_cones_equal_the_smallest_eigenvalue(delta):
    device, quadratic, quartic, _ = cone(delta, (0.0, 0.0, 0.02))
    assert float(device.delta) == pytest.approx(delta, rel=1e-6)
    found = rates(device)
    degree = {0.5: 12, 2.0: 16, 10.0: 38}[delta]  # more changes the answer by less than 1e-4
    assert float(found.slowest) == pytest.approx(expected(degree, quadratic, quartic, device.terms[2].B), rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("B", [(0.02, 0.0, 0.0), (0.01, 0.0, 0.02)], ids=["across", "oblique"])
def test_rates_of_easy_cones_in_oblique_fields_equal_the_smallest_eigenvalue(B):
    device, quadratic, quartic, field = cone(6.0, B)
    assert float(rates(device).slowest) == pytest.approx(expected(28, quadratic, quartic, field), rel=1e-2)


def tilted(delta, h):
    device = mtj.presets.perpendicular_stt(delta)
    return eqx.tree_at(lambda d: d.terms, device, (*device.terms, mtj.AppliedField((0.0, 0.0, h * device.Bk))))


@pytest.mark.parametrize("delta", [200.0, 1000.0, 20000.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_rates_follow_browns_formula_however_high_the_other_barrier(delta, side):
    """25 kT are left one way; the other way the rate may be smaller than any number."""
    h = side * (1 - np.sqrt(25 / delta))
    found, tau = rates(tilted(delta, h)), float(tilted(delta, h).relaxation_time)

    def brown(h):
        return np.log(np.sqrt(delta / np.pi) * (1 - h * h) * (1 + h) / tau) - delta * (1 + h) ** 2

    assert float(found.log_out) == pytest.approx(brown(h), abs=0.05)
    assert float(found.log_back) == pytest.approx(brown(-h), abs=0.05)
    there = found.out if side < 0 else found.back
    assert float(there) == pytest.approx(np.exp(brown(-abs(h))), rel=0.05)
    assert np.isfinite([found.out, found.back, *found.switched([1e-3, 1.0])]).all()


@pytest.mark.slow
def test_logarithms_of_rates_have_the_slopes_of_differences():
    def logarithms(x):
        found = rates(tilted(x[0], x[1]))
        return jnp.stack([found.log_out, found.log_back])

    for at in (jnp.array([1000.0, -0.84]), jnp.array([3.0, 0.1])):
        slopes = jax.jacrev(logarithms)(at)
        for i, step in enumerate((1e-4 * at[0], 1e-5)):
            up, down = (logarithms(at.at[i].add(sign * step)) for sign in (1, -1))
            np.testing.assert_allclose(slopes[:, i], (up - down) / (2 * step), rtol=2e-5, atol=1e-6)


def test_wells_too_narrow_are_refused_in_words():
    device, _, _ = biaxial(4000.0, (0.0, 0.0, 0.0))
    with pytest.raises(ValueError, match="a well as narrow as this"):
        rates(device)
