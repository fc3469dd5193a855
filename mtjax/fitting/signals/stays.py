"""Stays of a telegraph signal in either state, and those that are too short to be seen."""

from __future__ import annotations

from typing import Annotated

import equinox as eqx
import numpy as np
from jaxtyping import Float
from scipy.optimize import root

from mtjax.checks import Finite, SecondsFromZero, Within
from mtjax.printing import Shown
from mtjax.quantities import as_numpy, require

_LENGTHS = 1001
"""Lengths of a stay at which the chance to miss it is worked out."""


class Dwell(Shown):
    """Mean stays up and down, with their uncertainty, by their logarithms.

    - `log_mean`: of the stays up and down over 1 s, shape (2,); `covariance`: shape (2, 2).

    >>> import numpy as np
    >>> from mtjax.fitting.signals import Dwell
    >>> np.exp(Dwell(np.log([1e-3, 2e-3]), np.diag([0.01, 0.01])).log_mean).round(4).tolist()
    [0.001, 0.002]
    """

    log_mean: Float[np.ndarray, " 2"] = eqx.field(converter=as_numpy)
    covariance: Float[np.ndarray, "2 2"] = eqx.field(converter=as_numpy)


class Stays(Shown):
    """Complete stays in either state of a signal at one bias, as they are seen.

    A stay that is too short is missed, and joins the two stays around it: their plain means are longer than the dwell times,
    by dead_time (1/tau_up + 1/tau_down) to first order, each of itself. `dwell_times` and `fit_telegraph` correct for it.

    - `up`, `down`: their lengths, s; `bias`: A, V or T; `dead_time`: stays shorter than this are not seen, s.
    - `dwell`: the mean stays where they are known otherwise, as from a fit to the whole trace: these are taken then.

    >>> import numpy as np
    >>> from mtjax.fitting import Stays
    >>> stays = Stays(up=np.array([2e-3, 4e-3]), down=np.array([1e-3, 1e-3]), bias=1e-5)
    >>> print(f"up {1e3 * stays.up.mean():.0f} ms, down {1e3 * stays.down.mean():.0f} ms at {1e6 * stays.bias:.0f} uA")
    up 3 ms, down 1 ms at 10 uA
    >>> seen = Stays(up=np.array([2e-3, 4e-3]), down=np.array([1e-3, 1e-3]), bias=1e-5, dead_time=0.2e-3)
    >>> up, down = seen.dwell_times
    >>> print(f"up {1e3 * up:.2f} ms, down {1e3 * down:.2f} ms: of that some were missed")
    up 2.10 ms, down 0.72 ms: of that some were missed
    """

    up: Annotated[Float[np.ndarray, " n"], Within(positive=True, unit="s")] = eqx.field(converter=as_numpy)
    down: Annotated[Float[np.ndarray, " k"], Within(positive=True, unit="s")] = eqx.field(converter=as_numpy)
    bias: Finite
    dead_time: SecondsFromZero = 0.0
    dwell: Dwell | None = None

    def __check_init__(self):
        if len(self.up) == 0 or len(self.down) == 0:
            raise ValueError(f"At least one complete stay in either state is needed, but at bias {self.bias:g} there is none.")

    @property
    def dwell_times(self) -> tuple[float, float]:
        """Mean stays up and down, corrected for those that are too short to be seen, s; `ValueError` where most are."""
        if self.dwell is not None:
            up, down = np.exp(self.dwell.log_mean)
            return float(up), float(down)
        seen = np.array([self.up.mean(), self.down.mean()])

        def off(logs):
            tau = np.exp(logs)
            return np.exp(self.dead_time / tau[::-1]) * tau.sum() / (tau[::-1] + seen) - 1

        found = root(off, np.log(seen))
        if not found.success:
            raise ValueError(f"Stays must be longer than the dead time of {self.dead_time:g} s, but their means are {seen} s.")
        return float(np.exp(found.x[0])), float(np.exp(found.x[1]))


def dead_time(bandwidth: float | None, step: float = 0.0) -> float:
    """The length below which a stay is missed, s: a stay counts where a sample finds the signal beyond the middle.

    After a first-order low pass of `bandwidth` (Hz; `None`: there is none) it takes ln 2 / (2 pi f) to cross it. Samples
    `step` (s) apart miss a share of longer ones too; the integral of that share, up to step / 2, is added. Right to first
    order in the dead time over the stays.

    Raises `ValueError` where a number is out of range.
    """
    require({"bandwidth": bandwidth, "step": step}, "step", least=0.0, unit="s")
    require({"bandwidth": bandwidth}, "bandwidth", positive=True, unit="Hz")
    if bandwidth is None:
        return step / 2
    speed = 2 * np.pi * bandwidth
    late = np.linspace(0.0, 1.0, _LENGTHS) * step  # beyond the shortest stay that crosses the middle
    beyond = late + np.log(2 - np.exp(-speed * late)) / speed
    missed = 1 - np.minimum(beyond / step, 1.0) if step > 0 else np.zeros(_LENGTHS)
    return float(np.log(2) / speed + np.trapezoid(missed, late))
