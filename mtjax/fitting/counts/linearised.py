"""Probabilities of all settings with their slopes, by any engine."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from mtjax.fitting.binomial import Prediction
from mtjax.fitting.counts.model import Settings, SwitchingModel
from mtjax.fitting.counts.sampled import sampled_prediction
from mtjax.parallel import over_rows
from mtjax.switching import MonteCarlo


def linearised(model: SwitchingModel, c: ArrayLike, rows: Settings) -> Prediction:
    """Probabilities and their derivatives in the coordinates; the rows are spread over devices and processes."""
    if isinstance(model.method, MonteCarlo):
        return sampled_prediction(model, np.asarray(c), rows)
    return over_rows(_linearised, (model, jnp.asarray(c)), rows)


def _linearised(shared: tuple[SwitchingModel, jax.Array], rows: Settings) -> Prediction:
    model, c = shared

    def twice(c):
        both = model(c, rows)
        return both, both

    (dp, dq), (p, q) = jax.jacfwd(twice, has_aux=True)(c)
    return Prediction(p, q, dp, dq)
