"""An instant stand-in for the engine, and counts around its probabilities."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from mtjax import SpinTransferTorque, UniaxialAnisotropy, files, presets
from mtjax.fitting import SwitchingData
from mtjax.switching import AbstractMethod, Probability

CURRENTS = np.tile(np.linspace(6e-6, 14e-6, 8), 2)
WIDTHS = np.repeat([20e-9, 100e-9], 8)


@files.register
class Sigmoid(AbstractMethod):
    """An instant stand-in for the engine: logit P = (I / I_0 - 1) / s + log(t / 100 ns) / 4, I_0 ~ Bk / polarisation."""

    @property
    def name(self):
        return "a sigmoid"

    def probability(self, device, pulse, relax):
        Bk, polarisation = device[UniaxialAnisotropy].Bk, device[SpinTransferTorque].polarisation
        middle = 1e-5 * (Bk / 0.2) * (0.6 / polarisation) + 0 * device.temperature
        u = (pulse.amplitude / middle - 1) * (device.layer.alpha / 0.01) * 10 + jnp.log(pulse.end / 100e-9) / 4
        return Probability(jax.nn.sigmoid(u), jax.nn.sigmoid(-u), None, self)


ENGINE = Sigmoid()
DEVICE = eqx.tree_at(lambda d: d[UniaxialAnisotropy].Bk, presets.perpendicular_stt(40.0), jnp.asarray(0.2))


def probability(Bk=0.2, alpha=0.01, polarisation=0.6, currents=CURRENTS, widths=WIDTHS):
    u = (currents / (1e-5 * Bk / 0.2 * 0.6 / polarisation) - 1) * alpha * 1000 + np.log(widths / 100e-9) / 4
    return 1 / (1 + np.exp(-u))


def counted(p=None, trials=100, seed=0, **more):
    p = probability() if p is None else p
    switched = np.random.default_rng(seed).binomial(trials, p)
    return SwitchingData(current=CURRENTS, width=WIDTHS, switched=switched, trials=trials, **more)
