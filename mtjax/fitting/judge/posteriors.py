"""The full posterior of a fit by numpyro's No-U-Turn sampler (the extra `fit`), from the likelihood that was fitted."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key

from mtjax.checks import Count, CountFromZero, checked
from mtjax.fitting.counts import refuse_noise
from mtjax.fitting.result import AbstractFit
from mtjax.fitting.space import Coordinates
from mtjax.printing import Shown, with_unit
from mtjax.quantities import in_double, need

R_HAT, LEAST_DRAWS = 1.01, 400.0
"""Largest R-hat, and smallest number of effective draws, that pass (Vehtari et al., Bayesian Analysis 16, 667, 2021)."""


class Posterior(Shown):
    """Draws from the posterior of k quantities.

    - `names`, `units`; `draws`: shape (chains, n, k), SI.
    - `r_hat`: split R-hat; `effective`: number of effective draws; shape (k,).
    - `divergences`: of the sampler.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> draws = np.random.default_rng(0).normal(0.25, 0.01, (4, 500, 1))
    >>> found = mtj.fitting.Posterior(("Bk",), ("T",), draws, np.array([1.001]), np.array([1900.0]), 0)
    >>> print(found)
                                median        95 % interval                 R-hat   effective draws
    Bk                          249.7 mT      230.6 mT ... 269.1 mT         1.001   1900
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    draws: Float[np.ndarray, "chains n k"]
    r_hat: Float[np.ndarray, " k"]
    effective: Float[np.ndarray, " k"]
    divergences: int

    def interval(self, level: float = 0.95) -> Float[np.ndarray, "k 2"]:
        """Intervals with equal tails, shape (k, 2)."""
        flat = self.draws.reshape(-1, len(self.names))
        return np.quantile(flat, [0.5 - level / 2, 0.5 + level / 2], axis=0).T

    @property
    def median(self) -> Float[np.ndarray, " k"]:
        """Medians."""
        return np.median(self.draws.reshape(-1, len(self.names)), axis=0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the sampling, one sentence each."""
        said = []
        for name, r, n in zip(self.names, self.r_hat, self.effective, strict=True):
            if not r < R_HAT:
                said.append(f"The chains of {name} disagree (R-hat {r:.3f}, should be below {R_HAT}): draw more.")
            elif n < LEAST_DRAWS:
                said.append(f"Only {n:.0f} effective draws of {name} (at least {LEAST_DRAWS:.0f} are wanted): draw more.")
        if self.divergences:
            said.append(f"{self.divergences} trajectories diverged: the corners of the posterior are not trustworthy.")
        return tuple(said)

    def __str__(self) -> str:
        """A table of medians and intervals, and the warnings."""
        lines = [f"{'':<28}{'median':<14}{'95 % interval':<30}{'R-hat':<8}effective draws"]
        rows = zip(self.names, self.units, self.median, self.interval(), self.r_hat, self.effective, strict=True)
        for name, unit, middle, ends, r, n in rows:
            shown = " ... ".join(with_unit(x, unit) for x in ends)
            lines.append(f"{name:<28}{with_unit(middle, unit):<14}{shown:<30}{r:<8.3f}{n:.0f}")
        return "\n".join([*lines, *(f"warning: {sentence}" for sentence in self.warnings)])


@checked
@in_double
def posterior(
    fit: AbstractFit,
    *,
    key: Key[Array, ""],
    samples: Count = 500,
    warmup: CountFromZero = 250,
    chains: Count = 4,
    progress: bool = False,
) -> Posterior:
    """Draws from likelihood times priors (Bayes) by numpyro's No-U-Turn sampler.

    Quantities without a prior are flat in their coordinate, within their bounds.

    - `fit`: its likelihood, bounds and priors are used.
    - `key`: of the draws; `samples`: per chain, after `warmup`; `chains`: side by side.
    - `progress`: whether a bar is shown.

    Raises `ImportError` without numpyro, `ValueError` for fits by Monte Carlo.

    >>> import jax
    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> logistic = mtj.fitting.fit_logistic(data)
    >>> found = mtj.fitting.posterior(logistic, key=jax.random.key(0), samples=100, warmup=100, chains=1)
    >>> print(f"midpoint {1e6 * found.median[0]:.1f} uA, from {found.draws.shape[1]} draws")
    midpoint 10.6 uA, from 100 draws
    """
    need("numpyro", "A posterior")
    refuse_noise(fit, "A posterior")
    from numpyro import diagnostics, infer

    potential = _Potential(fit)
    kernel = infer.NUTS(potential_fn=potential, dense_mass=True, target_accept_prob=0.85, max_tree_depth=6)
    method = "sequential" if chains == 1 else "vectorized"
    mcmc = infer.MCMC(
        kernel, num_warmup=warmup, num_samples=samples, num_chains=chains, chain_method=method, progress_bar=progress
    )
    first, draw = jax.random.split(key)
    start = jax.random.normal(first, (chains, len(fit.estimates)))
    mcmc.run(draw, init_params=start if chains > 1 else start[0], extra_fields=("diverging",))
    z = mcmc.get_samples(group_by_chain=True)
    draws = np.asarray(jax.vmap(jax.vmap(potential.value))(z))
    return Posterior(
        names=fit.estimates.names, units=fit.estimates.units, draws=draws,
        r_hat=np.asarray(diagnostics.split_gelman_rubin(draws)), effective=np.asarray(diagnostics.effective_sample_size(draws)),
        divergences=int(np.sum(mcmc.get_extra_fields()["diverging"])),
    )  # fmt: skip


class _Potential(Shown):
    """Minus the log-posterior of numbers z that are nearly standard normal: c = bound(x), x = x_fit + root z."""

    space: Coordinates
    likelihood: eqx.Module
    middle: Array
    root: Array

    def __init__(self, fit: AbstractFit):
        self.space, self.likelihood = jax.tree.map(_copied, (fit.space, fit.likelihood))
        self.middle = jnp.asarray(fit.space.free(fit.at))
        stretch = jax.jvp(fit.space.bound, (self.middle,), (jnp.ones_like(self.middle),))[1]
        spread = fit.spread / np.asarray(stretch)[:, None] / np.asarray(stretch)
        scales, axes = np.linalg.eigh(spread)
        self.root = jnp.asarray(axes * np.sqrt(np.clip(scales, 1e-12, 1.0)))

    def __call__(self, z: Array) -> Array:
        x, space = self.middle + self.root @ z, self.space
        c, stretch = jax.jvp(space.bound, (x,), (jnp.ones_like(x),))
        log_density = self.likelihood(c) + space.log_prior(c) + jnp.sum(jnp.log(stretch))  # type: ignore[operator]
        return -log_density

    def value(self, z: Array) -> Array:
        """The quantities."""
        return self.space.value(self.space.bound(self.middle + self.root @ z))


def _copied(x: Any) -> Any:
    """An array of numpy's that is a constant of a program in double precision is refused in single precision (jax 0.10.2)."""
    return x.copy() if isinstance(x, np.ndarray) else x
