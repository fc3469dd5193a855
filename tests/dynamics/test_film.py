"""Many cells: the same physics as one, the read-out, coupling, sizes; one principle for neuron and synapse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from heated import NOMINAL, heated_cell

import mtjax as mtj
from mtjax.devices.grains import disc
from mtjax.dynamics import film


def readable():
    return eqx.tree_at(lambda d: d.readout, heated_cell(), mtj.AnomalousHall(2.0), is_leaf=lambda x: x is None)


def test_equal_uncoupled_cells_are_an_ensemble_of_one():
    """400 x 8 cells against 8,000 single devices: two pulses 3 ns apart."""
    with jax.enable_x64(False):
        pulse = mtj.Train(mtj.Pulse(NOMINAL, 5e-9), 2, 8e-9)
        grains = mtj.Grains.draw(readable(), 1.13 * 20e-9, pitch=1e-9, key=jax.random.key(0))
        sol = mtj.simulate_grains(grains, pulse, 33e-9, key=jax.random.key(1), samples=8, save=2)
        n = 8 * grains.number
        p = float(jnp.mean(sol.mz[:, -1] < 0))
    assert abs(p - 0.4760) < 4 * (0.25 * (1 / n + 1 / 20_000)) ** 0.5
    assert all(len(np.unique(sol.mz[:, time])) > 0.98 * n for time in (0, -1))  # starts and noise of their own
    np.testing.assert_allclose(sol.hall, 2.0 * jnp.mean(sol.mz, axis=-1), rtol=1e-4)
    assert str(sol).startswith(f"GrainTrajectories: 8 samples of {grains.number} cells")


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_coupling_is_a_field_and_fixed_cells_stay(side):
    """A cell between four fixed ones against the same cell, with the same noise, in the field that they make."""
    grains = mtj.Grains.draw(readable(), 2e-9, pitch=1e-9, key=jax.random.key(0))
    middle = int(jnp.argmax(jnp.sum(grains.neighbours >= 0, axis=1)))
    fixed = jnp.arange(grains.number) != middle
    grains = eqx.tree_at(lambda g: g.fixed, grains, fixed)
    coupled = eqx.tree_at(lambda g: g.coupling, grains, jnp.asarray(0.01))
    lifted = eqx.tree_at(lambda g: g.bias, grains, grains.bias.at[middle, 2].add(4 * 0.01 * side))
    start = jnp.where(fixed, side, 1.0)[None, :, None] * jnp.array([0.0, 0.0, 1.0])
    pulse = mtj.Pulse(0.9 * NOMINAL, 1e-9)
    options = {"key": jax.random.key(2), "samples": 3, "save": 5, "dt": 5e-12, "start": jnp.repeat(start, 3, axis=0)}
    one, two, bare = (mtj.simulate_grains(g, pulse, 2e-9, **options) for g in (coupled, lifted, grains))
    np.testing.assert_allclose(one.mz, two.mz, atol=1e-9)
    assert float(jnp.max(jnp.abs(one.mz - bare.mz))) > 0.01
    np.testing.assert_array_equal(one.mz[:, :, fixed], jnp.full((3, 5, 4), side))


def test_one_compilation_for_every_pulse_and_duration(monkeypatch):
    """Once more or less than 4,096 steps, which is where `simulate` compiles anew."""
    once = eqx.debug.assert_max_traces(film._run.__wrapped__, max_traces=1)
    monkeypatch.setattr(film, "_run", eqx.filter_jit(once))
    grains = mtj.Grains.draw(readable(), 1e-9, pitch=1e-9, key=jax.random.key(0))
    options = {"key": jax.random.key(2), "save": 2, "dt": 1e-12, "start": jnp.array([[[0.0, 0.0, 1.0]]])}
    for current, duration in ((NOMINAL, 1e-9), (-NOMINAL, 5e-9)):
        sol = mtj.simulate_grains(grains, mtj.Pulse(current, 0.5 * duration), duration, **options)
        np.testing.assert_allclose(sol.ts[-1], duration, rtol=1e-6)


def test_neighbours_of_a_disc():
    table = disc(2.0, 1.0)
    assert table.shape == (5, 4)
    assert sorted((table >= 0).sum(axis=1)) == [1, 1, 1, 1, 4]
    assert disc(0.5, 1.0).shape == (1, 4)
    with pytest.raises(ValueError, match="`diameter`"):
        disc(0.0, 1.0)


def test_neuron_and_synapse_are_the_same_thing_at_different_size():
    neuron, synapse = mtj.presets.kurenkov2019_neuron(), mtj.presets.kurenkov2019_synapse()
    assert type(neuron) is type(synapse)
    assert jax.tree.structure(neuron) == jax.tree.structure(synapse)
    assert neuron.number == 1
    assert synapse.number > 500
    density = 3.6e11
    for g in (neuron, synapse):  # the same field and the same heat at the same current density
        drive = g.cell.drive(g.current(density))
        field = g.cell[mtj.SpinOrbitTorque].damping_like(mtj.Vector.of(g.cell.start), g.cell.layer.magnet(), drive)
        assert float(field) == pytest.approx(0.060, rel=0.01)
        power = float(drive.current) ** 2 * float(g.cell.write_resistance)
        assert power * float(jnp.sum(g.cell.heating.resistance)) == pytest.approx(150.0, rel=0.02)
    differing = [
        a.shape != b.shape or not np.allclose(a, b)
        for a, b in zip(jax.tree.leaves(neuron.cell), jax.tree.leaves(synapse.cell), strict=True)
    ]
    assert sum(differing) == 2  # width of the metal, and the thermal resistances that go with it
    assert int(jnp.sum(synapse.fixed)) > 0


def test_protocols():
    pulse = mtj.Steps([1.0, -2.0, 3.0], 2e-9, 5e-9)
    assert [float(pulse(t)) for t in (1e-9, 3e-9, 6e-9, 11e-9, 16e-9)] == [1.0, 0.0, -2.0, 3.0, 0.0]
    assert float(pulse.mean(4e-9, 2e-9)) == pytest.approx(-1.0)
    amplitudes = mtj.loop(1.0, 2)
    np.testing.assert_allclose(amplitudes, [0, 0.5, 1, 0, -1, 0, 1])
    for delay, at in ((4e-9, [1.0, -1.0]), (-4e-9, [-1.0, 1.0])):
        both = mtj.opposite_pair(1.0, 2e-9, delay)
        assert [float(both(t)) for t in (1e-9, 5e-9)] == at
