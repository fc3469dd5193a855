"""Telegraph signals: how long a junction stays in either state, against a bias, seen through a finite bandwidth.

No measured trace was at hand: all checks of this part are on synthetic signals.
"""

from __future__ import annotations

from collections.abc import Iterable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.optimize import root

from mtjax.fitting.likelihood_fit import AbstractLikelihood, LikelihoodFit, maximise
from mtjax.fitting.space import Bounds, coordinates
from mtjax.printing import Shown
from mtjax.quantities import Numbers, as_numpy, require

_LENGTHS = 1001
"""Lengths of a stay at which the chance to miss it is worked out."""


class Stays(Shown):
    """Complete stays in either state of a signal at one bias, as they are seen.

    A stay that is too short is missed, and joins the two stays around it: their plain means are longer than the dwell times,
    by dead_time (1/tau_up + 1/tau_down) to first order, each of itself. `dwell_times` and `fit_telegraph` correct for it.

    - `up`, `down`: their lengths, s; `bias`: A, V or T; `dead_time`: stays shorter than this are not seen, s.

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

    up: Float[np.ndarray, " n"] = eqx.field(converter=as_numpy)
    down: Float[np.ndarray, " k"] = eqx.field(converter=as_numpy)
    bias: float
    dead_time: float = 0.0

    def __check_init__(self):
        if len(self.up) == 0 or len(self.down) == 0:
            raise ValueError(f"At least one complete stay in either state is needed, but at bias {self.bias:g} there is none.")

    @property
    def dwell_times(self) -> tuple[float, float]:
        """Mean stays up and down, corrected for those that are too short to be seen, s; `ValueError` where most are."""
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


def read_stays(time: Numbers, signal: Numbers, *, bias: float, bandwidth: float | None = None) -> Stays:
    """The complete stays of a sampled trace, told apart at the middle between its two levels (with a tenth of hysteresis).

    - `time` (s, evenly spaced), `signal`: shape (n,); `bias`: A, V or T.
    - `bandwidth`: of the amplifier, Hz; `None`: only the sampling limits it. Both set the dead time: short stays are missed,
      and plain means are long for it (10 % at ten samples a stay); `Stays.dwell_times` are not.

    Raises `ValueError` where the trace never changes its state, or times do not increase evenly.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> signal = np.repeat([0.0, 1.0, 0.0, 1.0, 0.0], [3, 4, 2, 6, 3])
    >>> stays = mtj.read_stays(1e-6 * np.arange(18), signal, bias=1e-5)
    >>> [f"{1e6 * t:.0f} us up" for t in stays.up], [f"{1e6 * t:.0f} us down" for t in stays.down]
    (['4 us up', '6 us up'], ['2 us down'])
    """
    time, signal = as_numpy(time), as_numpy(signal)
    steps = np.diff(time)
    if len(time) < 3 or not np.allclose(steps, steps[0], rtol=1e-3) or steps[0] <= 0:
        raise ValueError("The times of a trace must increase evenly.")
    low, high = np.quantile(signal, [0.02, 0.98])
    middle, gap = (low + high) / 2, 0.05 * (high - low)
    clear = np.flatnonzero((signal > middle + gap) | (signal < middle - gap))
    state = signal[clear] > middle
    changes = np.flatnonzero(np.diff(state)) + 1
    if len(changes) < 3:
        raise ValueError(
            f"A trace must change its state at least three times, but that at bias {bias:g} does {len(changes)} times."
        )
    lengths, up = np.diff(time[clear][changes]), state[changes[:-1]]
    return Stays(lengths[up], lengths[~up], bias, dead_time(bandwidth, float(steps[0])))


class Telegraph(AbstractLikelihood):
    """Two-state hopping whose rates depend exponentially on a bias.

    tau_up = tau exp((b - b_equal) / w_up), tau_down = tau exp(-(b - b_equal) / w_down). Stays shorter than the dead time are
    missed, and join the stays around them: the mean observed stay beyond the dead time d is, exactly,
    tau_up + (1/s - 1) (tau_up + mean of the missed ones), with s = exp(-d / tau_down) the share that is seen; its
    distribution is taken as exponential (true to first order in d / tau).

    Quantities: tau (s), b_equal, w_up, w_down (unit of the bias).

    - `bias`, `dead` (s): shape (n,).
    - `number_up`, `number_down`: of stays; `excess_up`, `excess_down`: their sum beyond the dead time, s; shape (n,).

    >>> import jax.numpy as jnp
    >>> import numpy as np
    >>> from mtjax.fitting import Telegraph
    >>> one = np.array([1.0])
    >>> law = Telegraph(1e-5 * one, 0.0 * one, 40 * one, 40 * one, 0.1 * one, 0.02 * one)
    >>> up, down = law.stays(jnp.array([1e-3, 0.0, 1e-5, 2e-5]))  # tau 1 ms, scales of 10 and 20 uA, at 10 uA
    >>> print(f"up {1e3 * up[0]:.2f} ms, down {1e3 * down[0]:.2f} ms")
    up 2.72 ms, down 0.61 ms
    """

    bias: Float[np.ndarray, " n"]
    dead: Float[np.ndarray, " n"]
    number_up: Float[np.ndarray, " n"]
    number_down: Float[np.ndarray, " n"]
    excess_up: Float[np.ndarray, " n"]
    excess_down: Float[np.ndarray, " n"]

    @property
    def kind(self) -> str:
        """Number of stays."""
        return f"{int(np.sum(self.number_up + self.number_down))} stays at {len(self.bias)} biases by two-state hopping"

    @property
    def rows(self) -> int:
        """Number of mean stays."""
        return 2 * len(self.bias)

    @property
    def calibrated(self) -> bool:
        """No: the likelihood has no measure of a perfect description."""
        return False

    def stays(self, values: Float[Array, " k"]) -> tuple[Array, Array]:
        """True mean stays up and down, s, at every bias."""
        tau, equal, w_up, w_down = values
        return tau * jnp.exp((self.bias - equal) / w_up), tau * jnp.exp(-(self.bias - equal) / w_down)

    def log_likelihood(self, values: Float[Array, " k"]) -> Array:
        """Of all stays."""
        up, down = self.stays(values)
        total = 0.0
        for number, excess, mean in (
            (self.number_up, self.excess_up, observed_excess(up, down, self.dead)),
            (self.number_down, self.excess_down, observed_excess(down, up, self.dead)),
        ):
            total = total - jnp.sum(number * jnp.log(mean) + excess / mean)
        return jnp.asarray(total)


def observed_excess(tau: Array, other: Array, dead: ArrayLike) -> Array:
    """Mean observed stay beyond the dead time in a state of mean stay `tau`, where stays in the `other` may be missed, s."""
    x = dead / other
    missed = -jnp.expm1(-x)
    # mean length of a stay that is known to be shorter than the dead time
    short = other - dead * jnp.exp(-x) / jnp.where(missed > 0, missed, 1.0)
    return tau + missed * jnp.exp(x) * (tau + jnp.where(missed > 0, short, 0.0))


def fit_telegraph(stays: Iterable[Stays], *, unit: str = "A", bounds: Bounds | None = None) -> LikelihoodFit:
    """Time scale, bias of equal stays and the two bias scales, from stays at several biases.

    - `stays`: one for every bias, as `read_stays` reads them; `unit`: of the bias; `bounds`: by name of the quantity.

    Raises `ValueError` where there are fewer than two biases.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> from mtjax.fitting import Stays
    >>> up, down = np.array([2e-3, 4e-3]), np.array([1e-3, 1e-3])
    >>> fit = mtj.fit_telegraph([Stays(up, down, 1e-5), Stays(down, up, -1e-5)])
    >>> tau, _, scale_up, _ = fit.estimates
    >>> print(f"equal stays of {1e3 * tau.value:.2f} ms; the stay up grows e-fold in {1e6 * scale_up.value:.1f} uA")
    equal stays of 1.73 ms; the stay up grows e-fold in 18.2 uA
    """
    found = sorted(stays, key=lambda s: s.bias)
    bias = np.array([s.bias for s in found])
    if len(np.unique(bias)) < 2:
        raise ValueError("Stays at two biases at least are needed, but there is one.")
    dead = np.array([s.dead_time for s in found])
    ups, downs = ([np.maximum(getattr(s, n) - s.dead_time, 0.0) for s in found] for n in ("up", "down"))
    law = Telegraph(
        bias, dead, *(np.array([float(len(x)) for x in xs]) for xs in (ups, downs)),
        *(np.array([float(x.sum()) for x in xs]) for xs in (ups, downs)),
    )  # fmt: skip
    up, down = np.log(law.excess_up / law.number_up), np.log(law.excess_down / law.number_down)
    a, b = np.polyfit(bias, up, 1), np.polyfit(bias, down, 1)
    equal = (b[1] - a[1]) / (a[0] - b[0])
    span = float(np.ptp(bias))
    start = [np.exp(np.polyval(a, equal)), equal, 1 / a[0], -1 / b[0]]
    given = {"equal_bias": (equal - 5 * span, equal + 5 * span)}
    names = ["tau", "equal_bias", "scale_up", "scale_down"]
    space = coordinates(names, ["s", unit, unit, unit], start, bounds={**given, **(bounds or {})})
    return maximise(law, space)


def synthetic_trace(
    *, tau_up: float, tau_down: float, duration: float, step: float, bandwidth: float, noise: float = 0.0, seed: int = 0
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Times (s) and a signal between 0 and 1 that hops, through a first-order low pass of `bandwidth` (Hz), with `noise`.

    >>> from mtjax.fitting import synthetic_trace
    >>> time, signal = synthetic_trace(tau_up=1e-3, tau_down=1e-3, duration=0.1, step=1e-5, bandwidth=1e5)
    >>> time.shape, f"{signal.min():.2f} to {signal.max():.2f}"
    ((10000,), '0.00 to 1.00')
    """
    random = np.random.default_rng(seed)
    number = int(4 * duration / (tau_up + tau_down)) + 50
    pairs = np.stack([random.exponential(tau_up, number), random.exponential(tau_down, number)], axis=1).ravel()
    flips = np.cumsum(pairs)
    time = np.arange(0.0, min(duration, flips[-1]), step)
    edges = np.unique(np.concatenate([time, flips[flips < time[-1]]]))
    state = 1.0 - np.searchsorted(flips, edges[:-1], side="right") % 2
    decay = np.exp(-2 * np.pi * bandwidth * np.diff(edges))
    level = np.empty(len(edges))
    level[0] = 1.0
    for i, (s, d) in enumerate(zip(state, decay, strict=True)):
        level[i + 1] = s + (level[i] - s) * d
    signal = level[np.searchsorted(edges, time)]
    return time, signal + noise * random.standard_normal(len(time))
