"""How good a fit is: comparison of laws, profile likelihoods, posteriors."""

from mtjax.fitting.judge.comparison import Comparison, compare, fit_logistic
from mtjax.fitting.judge.posteriors import Posterior, posterior
from mtjax.fitting.judge.profiles import Profile, profile

__all__ = ["Comparison", "Posterior", "Profile", "compare", "fit_logistic", "posterior", "profile"]
