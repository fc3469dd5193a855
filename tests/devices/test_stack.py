"""Couplings between layers: fields, dipole tensors against sums over dipoles, minima, and what is refused."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mtjax as mtj
from mtjax.devices import lowest_near
from mtjax.vector import Layered

THIN, THICK = mtj.EllipticCylinder(60e-9, 40e-9, 1.5e-9), mtj.EllipticCylinder(60e-9, 40e-9, 3e-9)


IN_PLANE = (mtj.Demagnetisation((0.0, 0.0, 1.0)),)


def film(shape=THIN, Ms=1e6, start=(1.0, 0.0, 0.0), terms=IN_PLANE):
    return mtj.Device(mtj.FreeLayer(shape, Ms=Ms, alpha=0.01), terms, start=start)


COUPLINGS = (
    mtj.InterlayerExchange(-3e-4, -1e-4),
    mtj.InterlayerDMI((1e-5, 2e-5, -3e-5)),
    mtj.DipolarCoupling.between(THIN, THICK, gap=1e-9),
)


@pytest.mark.parametrize("coupling", COUPLINGS, ids=lambda c: type(c).__name__)
def test_fields_are_minus_the_derivative_of_the_energy_over_the_moment(coupling):
    stack = mtj.Stack((film(), film(THICK, Ms=6e5)), (coupling,))
    drive = stack.drive(0.0)
    ms = np.array([[0.36, 0.48, 0.8], [-0.6, 0.64, 0.48]])
    fields = stack.field(Layered.of(ms), drive).array()
    moments = np.array([float(m.moment) for m in stack.magnets.each])

    def energy(ms):
        return float(stack.energy(Layered.of(ms), drive) * stack.moment)

    for layer in range(2):
        for axis in range(3):
            step = np.zeros((2, 3))
            step[layer, axis] = 1e-5
            slope = (energy(ms + step) - energy(ms - step)) / 2e-5
            assert float(fields[layer, axis]) == pytest.approx(-slope / moments[layer], rel=1e-6, abs=1e-7)


def test_exchange_fields_follow_thickness_and_magnetisation():
    """B = J m_other / (Ms t), written out: 0.3 mJ/m^2 on 1.5 nm of 1 MA/m and on 3 nm of 0.6 MA/m."""
    stack = mtj.Stack((film(terms=()), film(THICK, Ms=6e5, terms=())), (mtj.InterlayerExchange(-3e-4),))
    first, second = stack.field(Layered.of([[1.0, 0, 0], [0, 1.0, 0]]), stack.drive(0.0)).array()
    np.testing.assert_allclose(first, [0, -3e-4 / (1e6 * 1.5e-9), 0], rtol=1e-12)
    np.testing.assert_allclose(second, [-3e-4 / (6e5 * 3e-9), 0, 0], rtol=1e-12)


def mean_field(first, second, gap, direction, number=12):
    """Mean over the first prism of the field of the second, magnetised along `direction`, by a sum over small cubes' dipoles."""

    def places(shape, low):
        n = [max(round(float(s) / (float(first.length) / number)), 1) for s in (shape.length, shape.width, shape.thickness)]
        axes = [
            (np.arange(k) + 0.5) / k * float(s) for k, s in zip(n, (shape.length, shape.width, shape.thickness), strict=True)
        ]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        return grid + [0, 0, low], float(shape.volume) / grid.shape[0]

    here, _ = places(first, 0.0)
    there, cell = places(second, float(first.thickness) + gap)
    r = here[:, None] - there[None]
    d = np.linalg.norm(r, axis=-1, keepdims=True)
    return np.mean(np.sum((3 * r * (r @ direction)[..., None] / d**2 - direction) / d**3, axis=1), axis=0) * cell / (4 * np.pi)


def test_dipole_tensor_of_stacked_prisms_against_a_sum_over_cubes():
    first, second = mtj.Prism(40e-9, 20e-9, 10e-9), mtj.Prism(40e-9, 20e-9, 20e-9)
    N = mtj.DipolarCoupling.between(first, second, gap=30e-9).tensor
    found = np.stack([mean_field(first, second, 30e-9, d) for d in np.eye(3)])
    np.testing.assert_allclose(-np.asarray(N), found, atol=2e-5)
    assert np.trace(N) == pytest.approx(0.0, abs=1e-9)
    far = mtj.DipolarCoupling.between(first, second, gap=1e-6).tensor
    point = mtj.DipolarCoupling.point((0, 0, 1.015e-6), second.volume).tensor
    np.testing.assert_allclose(far, point, atol=2e-3 * float(point[0, 0]))


def test_spin_transfer_to_a_layer_that_cannot_move_is_that_of_a_reference():
    free = film()
    stack = mtj.Stack((free, film(THICK)), (mtj.MutualSpinTransfer(0.5, 0.2),))
    m, p = [0.6, 0.0, 0.8], [0.0, 0.6, 0.8]
    torque = mtj.SpinTransferTorque(polarisation=0.5, sigma=p, field_like_ratio=0.2)
    alone = dataclasses.replace(free, terms=(*free.terms, torque))
    field = stack.field(Layered.of([m, p]), stack.drive(1e-4)).array()[0]
    np.testing.assert_allclose(field, alone.field(mtj.Vector.of(m), alone.drive(1e-4)).array(), rtol=1e-12)


def test_scissored_state_of_a_synthetic_antiferromagnet():
    """Two equal layers in a field across them: cos = B / (2 B_J), and its derivative by J."""
    layer = film()

    def angle(J, B=0.1):
        ends = [
            dataclasses.replace(layer, start=(s, 0.2, 0), terms=(*layer.terms, mtj.AppliedField((0, B, 0))))
            for s in (1.0, -1.0)
        ]
        stack = mtj.Stack(tuple(ends), (mtj.InterlayerExchange(J),))
        return lowest_near(lambda s, ms: s.energy(ms, s.drive(0.0)), stack, stack.start.array()).ms[0, 1]

    cosine, slope = jax.value_and_grad(angle)(-3e-4)
    assert float(cosine) == pytest.approx(0.1 / (2 * 3e-4 / 1.5e-3), rel=1e-9)
    assert float(slope) == pytest.approx(float(cosine) / 3e-4, rel=1e-6)


@pytest.mark.parametrize(("number", "pair", "sentence"), [
    (2, (0, 2), "`layers` of InterlayerExchange must be two different ones of the layers 0 to 1 of the Stack, but are 0 and 2."),
    (3, (1, 1), "`layers` of InterlayerExchange must be two different ones of the layers 0 to 2 of the Stack, but are 1 and 1."),
    (1, (0, 1), "A Stack must have 2 to 8 layers, but has 1."),
])  # fmt: skip
def test_refused(number, pair, sentence):
    with pytest.raises(ValueError, match="Stack") as error:
        mtj.Stack((film(),) * number, (mtj.InterlayerExchange(1e-4, layers=pair),))
    assert str(error.value) == sentence


def test_outlines_must_agree():
    with pytest.raises(ValueError, match="of the same length and width"):
        mtj.DipolarCoupling.between(THIN, mtj.Prism(60e-9, 40e-9, 1e-9), gap=1e-9)


def test_a_stack_is_printed_written_and_read():
    stack = mtj.Stack((film(), film(THICK)), COUPLINGS)
    assert "J = -0.0003 J/m^2" in str(stack)
    again = mtj.files.decode(mtj.files.encode(stack))
    assert eqx.tree_equal(stack, again)
    assert jnp.all(again.temperature == 300.0)
