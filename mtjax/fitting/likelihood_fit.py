"""Maximum likelihood of any law by optimistix's BFGS, with the curvature at the top as its information."""

from __future__ import annotations

from abc import abstractmethod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from jaxtyping import Array, ArrayLike, Float

from mtjax.checks import checked
from mtjax.fitting.binomial import chi_square_tail
from mtjax.fitting.identified import flat_directions
from mtjax.fitting.result import AbstractFit, Estimates, covariance_of, estimates_of
from mtjax.fitting.space import Coordinates
from mtjax.printing import Shown
from mtjax.quantities import in_double

_SOLVER = optx.BFGS(rtol=1e-9, atol=1e-9)
_STEPS = 3000
_CLOSE = 1e-3
"""Squared distance from the top that counts as there, in standard errors."""


class AbstractLikelihood(Shown):
    """A law with its data: the likelihood of the values of its quantities.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> class Decay(mtj.AbstractLikelihood):  # stays of mean tau, s
    ...     kind, rows, calibrated = "stays of one state", 3, False
    ...     def log_likelihood(self, values):
    ...         return -jnp.sum(jnp.log(values) + jnp.array([1.0, 2.0, 6.0]) / values)
    >>> f"{mtj.maximise(Decay(), mtj.coordinates(['tau'], ['s'], [1.0])).estimates['tau'].value:.2f} s"
    '3.00 s'
    """

    @abstractmethod
    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Logarithm of the likelihood, up to a constant of the data."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What it describes, in a few words."""

    @property
    @abstractmethod
    def rows(self) -> int:
        """Number of data."""

    @property
    @abstractmethod
    def calibrated(self) -> bool:
        """Whether minus twice the log-likelihood follows a chi-square distribution where the law is right."""


class Likelihood(Shown):
    """The log-likelihood of a `law` as a function of the coordinates of its quantities in `space`."""

    law: AbstractLikelihood
    space: Coordinates

    def __call__(self, c: Float[ArrayLike, " k"]) -> Array:
        """At the coordinates c."""
        return self.law.log_likelihood(self.space.value(jnp.asarray(c)))


class LikelihoodFit(AbstractFit):
    """The outcome of a fit of a law; prints as a table.

    - `law`, `quantities`: what was fitted, and its quantities.
    - `deviance`: minus twice the log-likelihood; `p_value` is `None` where nothing says how large it
      should be.
    - `estimates`, `covariance`, `dof`, `warnings`: as for `Fit`; the covariance is that of the curvature (the observed
      information).

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from mtjax.fitting import Stays
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([Stays(up, down, 1e-5), Stays(down, up, -1e-5)])
    >>> fit.kind, fit.estimates.names
    ('8 stays at 2 biases by two-state hopping', ('tau', 'equal_bias', 'scale_up', 'scale_down'))
    """

    law: AbstractLikelihood
    quantities: Coordinates
    estimates: Estimates
    covariance: Float[np.ndarray, "k k"]
    deviance: float
    dof: int
    p_value: float | None
    warnings: tuple[str, ...]

    @property
    def space(self) -> Coordinates:
        """The coordinates of the fitted quantities, with their bounds and priors."""
        return self.quantities

    @property
    def likelihood(self) -> Likelihood:
        """A module that gives the log-likelihood of coordinates, shape (k,)."""
        return Likelihood(self.law, self.space)

    @property
    def kind(self) -> str:
        """What was fitted."""
        return self.law.kind


@checked
@in_double
def maximise(law: AbstractLikelihood, space: Coordinates, *, warnings: tuple[str, ...] = ()) -> LikelihoodFit:
    """The values of largest likelihood (times the priors), from the start of `space`.

    - `law`: the likelihood of the data; `warnings`: to be told with the fit, one sentence each.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> class Decay(mtj.AbstractLikelihood):  # stays of mean tau, s
    ...     kind, rows, calibrated = "stays of one state", 3, False
    ...     def log_likelihood(self, values):
    ...         return -jnp.sum(jnp.log(values) + jnp.array([1.0, 2.0, 6.0]) / values)
    >>> mtj.maximise(Decay(), mtj.coordinates(["tau"], ["s"], [1.0])).estimates
    Estimates(tau=3 s +- 1.7 s)
    """
    c, value, slope = (np.asarray(x) for x in _search(Likelihood(law, space)))
    information = np.asarray(-jax.hessian(Likelihood(law, space))(jnp.asarray(c)))
    prior = np.asarray(jax.jacfwd(space.prior_residuals)(jnp.asarray(c)))
    spread = covariance_of(information + prior.T @ prior)
    converged = abs(slope @ spread @ slope) < _CLOSE
    estimates, covariance = estimates_of(space, c, spread)
    said = space.edge_remarks(c)
    said += [] if converged else ["The search for the best values did not converge."]
    unit = np.where(space.mask, 1.0, (space.upper - space.lower) / 20)
    said += flat_directions(information * unit * unit[:, None], space.names, space.mask)
    dof = law.rows - round(float(np.trace(information @ spread)))
    deviance = -2 * float(value)
    return LikelihoodFit(
        law=law, quantities=space, estimates=estimates, covariance=covariance, deviance=deviance, dof=dof,
        p_value=chi_square_tail(deviance, dof) if law.calibrated else None,
        warnings=(*warnings, *said),
    )  # fmt: skip


@eqx.filter_jit
def _search(likelihood: Likelihood) -> tuple[Array, Array, Array]:
    space = likelihood.space

    def cost(x, _):
        c = space.bound(x)
        value = -likelihood(c) + jnp.sum(space.prior_residuals(c) ** 2) / 2
        return jnp.where(jnp.isfinite(value), value, 1e12)

    found = optx.minimise(cost, _SOLVER, jnp.zeros(len(space)), max_steps=_STEPS, throw=False)
    c = space.bound(found.value)
    return c, likelihood(c), jax.grad(lambda c: likelihood(c) - jnp.sum(space.prior_residuals(c) ** 2) / 2)(c)
