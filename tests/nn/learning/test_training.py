"""Training, accuracy, checkpoints, and data: what they do and what they refuse."""

import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtjax import nn
from mtjax.files import load_checkpoint, save_checkpoint
from mtjax.nn.learning.training import batch_gradient, shifted, synapses_only

LAW = nn.sengupta2016_law()


def halves(n=128, seed=0):
    """Vectors of four; the class says which half is larger."""
    x = np.random.default_rng(seed).random((n, 4)).astype(np.float32)
    return nn.Dataset(x, (x[:, :2].sum(axis=1) > x[:, 2:].sum(axis=1)).astype(int))


def small(key=0):
    return nn.mlp((4, 12, 2), LAW, key=jax.random.key(key))


def leaves(tree):
    return jax.tree.leaves(eqx.filter(tree, eqx.is_array))


def test_training_lowers_the_loss_moves_synapses_and_nothing_else():
    before = small()
    trained = nn.train(
        before, halves(), nn.Training(epochs=30, batch=32, rate=0.03, steps=4), key=jax.random.key(1), progress=False
    )
    assert trained.history[-1][0] < 0.6 * trained.history[0][0]
    assert nn.evaluate(trained.network, halves(400, seed=1), steps=16, key=jax.random.key(2)).value[-1] > 0.85
    for a, b in zip(before.layers, trained.network.layers, strict=True):
        for x, y in zip(leaves(a.neuron), leaves(b.neuron), strict=True):
            np.testing.assert_array_equal(x, y)
        assert np.all(a.synapse.weight != b.synapse.weight)


def test_training_goes_on_from_a_checkpoint_to_the_same_numbers(tmp_path):
    """Cut off after two of four epochs: the file is written by the first two epochs of the same training."""
    data, how, key = halves(64), nn.Training(epochs=4, batch=16, steps=2), jax.random.key(1)
    whole = nn.train(small(), data, how, key=key, progress=False)

    class CutOff(Exception):
        pass

    def writes(path, tree, history):
        save_checkpoint(path, tree, history)
        if len(history) == 2:
            raise CutOff

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mtjax.nn.learning.epochs.save_checkpoint", writes)
        with pytest.raises(CutOff):
            nn.train(small(), data, how, key=key, progress=False, checkpoint=tmp_path / "c.ckpt")
    resumed = nn.train(small(), data, how, key=key, progress=False, checkpoint=tmp_path / "c.ckpt")
    for a, b in zip(leaves(whole.network), leaves(resumed.network), strict=True):
        np.testing.assert_array_equal(a, b)
    assert len(whole.history) == 4
    assert [loss for loss, _ in whole.history] == [loss for loss, _ in resumed.history]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.ckpt"]  # nothing half-written is left


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.ckpt", small(), ((0.5, 1.0),))
    network, history = load_checkpoint(tmp_path / "a.ckpt", small(key=3))
    np.testing.assert_array_equal(network.readout.weight, small().readout.weight)
    assert history == ((0.5, 1.0),)
    with pytest.raises(ValueError, match="must be of this network, but is of another: .*12, 4.* in the file, .*13, 4.* here"):
        load_checkpoint(tmp_path / "a.ckpt", nn.mlp((4, 13, 2), LAW, key=jax.random.key(0)))
    (tmp_path / "b.ckpt").write_bytes(b"weights\n\x00\x01")
    with pytest.raises(ValueError, match=r"b.ckpt' must be a checkpoint written by mtjax, but is not"):
        load_checkpoint(tmp_path / "b.ckpt", small())


def test_the_gradient_of_a_batch_is_the_mean_of_its_samples():
    net, data, key = small(), halves(6), jax.random.key(4)
    xs, labels = jnp.asarray(data.images), jnp.asarray(data.labels)
    _, together = batch_gradient(net, xs, labels, key, steps=2, estimator=nn.MomentPropagation())
    alone = [batch_gradient(net, xs[i : i + 1], labels[i : i + 1], key, steps=2, estimator=nn.Analog())[1] for i in range(6)]
    found, wanted = together.layers[0].synapse.weight, np.mean([g.layers[0].synapse.weight for g in alone], axis=0)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [nn.Reinforce(), nn.DisARM(), nn.PSA(), nn.Concrete(), nn.MomentPropagation()])
def test_every_estimator_trains(estimator):
    how = nn.Training(epochs=25, batch=32, rate=0.03, steps=2, estimator=estimator)
    trained = nn.train(small(), halves(256), how, key=jax.random.key(1), progress=False)
    assert nn.evaluate(trained.network, halves(400, seed=1), steps=16, key=jax.random.key(2)).value[-1] > 0.8


def test_only_synapses_are_trained_unless_asked():
    chosen = synapses_only(small())
    assert sum(jax.tree.leaves(chosen)) == 4
    assert chosen.layers[0].synapse.weight is True
    assert chosen.layers[0].neuron.bias is False


def test_accuracy_counts_what_the_summed_readout_names():
    net, data, key = small(), halves(30), jax.random.key(5)
    found = nn.evaluate(net, data, steps=3, key=key, batch=30)
    keys = jax.random.split(jax.random.fold_in(key, 0), 30)
    for i in range(0, 30, 7):
        spikes = net(jnp.asarray(data.images[i]), uniforms=net.draw(keys[i], 3)).fired[-1].spikes
        scores = np.cumsum(np.asarray(spikes) @ np.asarray(net.readout.weight).T + np.asarray(net.readout.bias), axis=0)
        np.testing.assert_array_equal(found.correct[i], scores.argmax(axis=1) == data.labels[i])
    p = found.correct[:, -1].mean()
    assert found.value[-1] == pytest.approx(p)
    assert found.stderr[-1] == pytest.approx(np.sqrt(p * (1 - p) / 30))


def test_bernoulli_inputs_differ_from_sample_to_sample():
    """A network that copies its only input, at 1/2: if all saw the same coin, all would be right or wrong together."""
    sure = nn.Network((nn.Layer(nn.Dense(jnp.full((1, 1), 60.0), jnp.full(1, -30.0)), nn.ClockedNeuron.of(LAW)),),
                      nn.Dense(jnp.array([[0.0], [1.0]]), jnp.array([0.5, 0.0])), (1,), "bernoulli")  # fmt: skip
    data = nn.Dataset(np.full((400, 1), 0.5, np.float32), np.ones(400, int))
    right = nn.evaluate(sure, data, steps=1, key=jax.random.key(0)).value[0]
    assert abs(right - 0.5) < 4 * 0.5 / 400**0.5


def test_shifted_images_move_by_whole_pixels_and_zeros_move_in():
    image = np.zeros((1, 7, 7))
    image[0, 3, 3] = 1
    images = jnp.asarray(np.repeat(image, 200, axis=0))
    places = {tuple(np.argwhere(np.asarray(x))[0] - 3) for x in shifted(images, 1, jax.random.key(0))}
    assert places == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}


def test_digits_need_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"of digits needs scikit-learn, which is missing: pip install 'mtjax\[nn\]'"):
        nn.datasets.digits()


def test_digits_are_split_the_same_way_for_the_same_seed():
    train, test = nn.datasets.digits(seed=1)
    assert (len(train), len(test)) == (1437, 360)
    np.testing.assert_array_equal(test.images, nn.datasets.digits(seed=1)[1].images)
    assert not np.array_equal(test.images, nn.datasets.digits(seed=2)[1].images)


def test_images_of_a_file_are_read_and_wrong_ones_refused(tmp_path):
    rng = np.random.default_rng(0)
    good = {"x_train": rng.integers(0, 256, (6, 4), dtype=np.uint8), "y_train": np.array([0, 1, 2, 0, 1, 2]),
            "x_test": rng.integers(0, 256, (3, 4), dtype=np.uint8), "y_test": np.array([0, 1, 2])}  # fmt: skip

    def load(**changes):
        np.savez(tmp_path / "d.npz", **{k: v for k, v in (good | changes).items() if v is not None})
        return nn.datasets.load_npz(tmp_path / "d.npz")

    np.testing.assert_allclose(load()[0].images, good["x_train"] / 255, rtol=1e-6)
    with pytest.raises(ValueError, match="one label for each of the 6 images"):
        load(y_train=np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="must be whole numbers from 0, but hold float64"):
        load(y_train=np.linspace(0, 1, 6))
    with pytest.raises(ValueError, match="must be whole numbers from 0, but hold int64"):
        load(y_train=np.array([-1, 1, 2, 0, 1, 2]))
    with pytest.raises(ValueError, match="Test labels must occur in training, up to 2, but the largest is 7"):
        load(y_test=np.array([0, 1, 7]))
    with pytest.raises(ValueError, match="must lie between 0 and 1, but lie between"):
        load(x_test=np.full((3, 4), 3.0))
    with pytest.raises(ValueError, match="but lacks y_test"):
        load(y_test=None)
    with pytest.raises(ValueError, match=r"none.npz' does not exist: `python scripts/fetch_images.py`"):
        nn.datasets.load_npz(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("pixels")
    with pytest.raises(ValueError, match=r"text.npz' must be a numpy .npz file, but is not"):
        nn.datasets.load_npz(tmp_path / "text.npz")


def test_training_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"takes inputs of shape \(4,\), but the data have \(8, 8\)"):
        nn.train(small(), nn.Dataset(np.zeros((3, 8, 8)), np.arange(3) % 2), key=jax.random.key(0), progress=False)
    with pytest.raises(ValueError, match="`rate` of Training must be finite and positive, but is -0.1"):
        nn.Training(rate=-0.1)
    with pytest.raises(ValueError, match="`epochs` of Training must be finite and at least 1, but is 0"):
        nn.Training(epochs=0)
    with pytest.raises(ValueError, match="The network tells 2 classes apart, but the data have labels up to 4"):
        nn.train(small(), nn.Dataset(np.zeros((5, 4)), np.arange(5)), key=jax.random.key(0), progress=False)
