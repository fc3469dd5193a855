"""Device parameters from measured switching probabilities, with their uncertainty."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.criticism import criticise
from mtjax.data import SwitchingData
from mtjax.device import Device
from mtjax.fields import AppliedField
from mtjax.fokker_planck import FokkerPlanck
from mtjax.guess import least_move, midpoint, resolving
from mtjax.likelihood import Prediction, chi_square_tail, deviances, fisher_information, residuals
from mtjax.methods import AbstractMethod
from mtjax.parameters import Parameter, by_names, by_where, replaced, values
from mtjax.pulses import Pulse
from mtjax.scoring import REACH, Minimum, Problem, around, minimise
from mtjax.settling import settling_time
from mtjax.store import decode, encode
from mtjax.types import as_scalar, with_unit


class Estimate(NamedTuple):
    """One fitted quantity: `value` and its standard error `stderr`, in `unit`."""

    value: float
    stderr: float
    unit: str


class Estimates(eqx.Module):
    """Fitted quantities, k of them; `estimates["Bk"]` is an `Estimate`, and so are the items of a loop.

    - `names`; `units`: SI.
    - `value`, `stderr`: shape (k,).
    - `logarithmic`: whether the quantity was fitted by its logarithm (if not, it may change its sign).
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    value: Float[np.ndarray, " k"]
    stderr: Float[np.ndarray, " k"]
    logarithmic: tuple[bool, ...]

    def __getitem__(self, name: str | int) -> Estimate:
        """The estimate of that name or number; raises `KeyError` where there is none."""
        if name not in self.names and not isinstance(name, int):
            raise KeyError(f"The fitted quantities are {', '.join(self.names)}, but not {name}.")
        i = name if isinstance(name, int) else self.names.index(name)
        return Estimate(float(self.value[i]), float(self.stderr[i]), self.units[i])

    def __len__(self) -> int:
        """How many."""
        return len(self.names)

    def __iter__(self) -> Iterator[Estimate]:
        """One `Estimate` after the other."""
        return (self[i] for i in range(len(self)))

    def interval(self, level: float = 0.95) -> Float[np.ndarray, "k 2"]:
        """Confidence intervals, shape (k, 2): symmetric in the logarithm where that was fitted."""
        z = float(jax.scipy.special.ndtri(0.5 + level / 2))
        return np.stack([self._moved(-z), self._moved(z)], axis=1)

    def _moved(self, z: float) -> np.ndarray:
        safe = np.where(self.value == 0, 1.0, np.abs(self.value))
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(self.logarithmic, self.value * np.exp(z * self.stderr / safe), self.value + z * self.stderr)


class Fit(eqx.Module):
    """The outcome of `fit`; prints as a table.

    - `device`: with the fitted values.
    - `estimates`: of the fitted quantities, each with value and standard error.
    - `covariance`: of them, from the Fisher information, in their units, shape (k, k).
    - `deviance`: twice the log-likelihood ratio between a free probability for every setting and the model.
    - `dof`: settings minus fitted quantities.
    - `p_value`: of the deviance, by the chi-square distribution; approximate where counts are small.
    - `warnings`: what is wrong with the fit, one sentence each.
    - `data`, `method`, `relax`: what was fitted, and how.
    """

    device: Device
    estimates: Estimates
    covariance: Float[np.ndarray, "k k"]
    deviance: float
    dof: int
    p_value: float
    warnings: tuple[str, ...]
    data: SwitchingData
    method: AbstractMethod
    relax: float | None = None

    def __str__(self) -> str:
        """A table of the estimates with units, the deviance, and the warnings."""
        rows = [("", "estimate", "std. error", "95 % interval")]
        for name, one, (low, high) in zip(self.estimates.names, self.estimates, self.estimates.interval(), strict=True):
            shown = [with_unit(x, one.unit) for x in (one.value, one.stderr, low, high)]
            rows.append((name, shown[0], shown[1], f"{shown[2]} ... {shown[3]}"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(f"{x:<{w}}" for x, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.append(
            f"deviance {self.deviance:.4g} on {self.dof} degrees of freedom (p = {self.p_value:.2g}), "
            f"{len(self.data)} settings, by {self.method.name}"
        )
        return "\n".join(lines + [f"warning: {sentence}" for sentence in self.warnings])

    def predict(self, amplitude: ArrayLike, width: ArrayLike, field: ArrayLike | None = None) -> Prediction:
        """Switching probabilities of the fitted device, with their derivatives in the fitted quantities.

        - `amplitude`: A or V, whichever the data have, shape (n,); `width`: s; `field`: T. They broadcast.
        """
        fields = np.nan if field is None else field
        rows = np.stack(np.broadcast_arrays(np.atleast_1d(np.asarray(amplitude, float)), width, fields))
        number, size = rows.shape[1], len(self.data)
        padded = np.pad(rows, ((0, 0), (0, -number % size)), mode="edge")
        # as many settings at a time as in the fit: what was compiled for it serves again
        parts = [self._predict(padded[:, i : i + size], field is not None) for i in range(0, padded.shape[1], size)]
        return Prediction(*(np.concatenate(part)[:number] for part in zip(*parts, strict=True)))

    def _predict(self, rows: np.ndarray, with_field: bool) -> Prediction:  # noqa: FBT001
        parameters = by_names(self.device, self.estimates.names)
        model = _Model(
            self.device,
            tuple(p.leaf for p in parameters),
            as_scalar(self.estimates.value),
            np.ones(len(parameters), bool),
            as_scalar(rows[0]),
            as_scalar(rows[1]),
            as_scalar(rows[2]) if with_field else None,
            self.method,
            None if self.relax is None else as_scalar(self.relax),
            of_voltage=self.data.voltage is not None,
        )
        return _prediction(_linearised(model, jnp.zeros(len(parameters))))

    def residuals(self) -> Float[np.ndarray, " n"]:
        """Signed deviance residuals of the settings, shape (n,): about standard normal where the model is right."""
        data = self.data
        at = self.predict(data.amplitude, data.width, data.field)
        return residuals(data.switched, data.trials, at.p, at.q)

    def save(self, path: str | PathLike[str]) -> None:
        """Write all of it to a JSON file, with the estimates in plain sight."""
        Path(path).write_text(json.dumps(self.to_dict(), indent=1))

    def to_dict(self) -> dict[str, Any]:
        """What `save` writes."""
        plain = {name: one._asdict() for name, one in zip(self.estimates.names, self.estimates, strict=True)}
        summary = {name: getattr(self, name) for name in ("deviance", "dof", "p_value")}
        plainer = {"covariance": self.covariance.tolist(), "warnings": list(self.warnings), "method": self.method.name}
        return {"format": _FORMAT, "estimates": plain, **summary, **plainer, "all": encode(self)}

    @staticmethod
    def load(path: str | PathLike[str]) -> Fit:
        """The fit that `save` wrote; raises `ValueError` where the file is missing or is none."""
        if not Path(path).is_file():
            raise ValueError(f"The file of a fit must exist, but {str(path)!r} does not.")
        try:
            found = json.loads(Path(path).read_text())
        except ValueError as error:
            raise ValueError(f"{str(path)!r} must be a JSON file, but is not: {error}.") from None
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ValueError(f"{str(path)!r} must be a fit that mtjax saved ({_FORMAT!r}), but is not.")
        return decode(found["all"])


_FORMAT = "mtjax fit 1"


def fit(
    device: Device,
    data: SwitchingData,
    *,
    where: Callable[[Device], Any] | tuple[str, ...] | list[str],
    method: AbstractMethod | None = None,
    relax: ArrayLike | None = None,
    starts: int = 1,
    progress: bool = False,
) -> Fit:
    """Maximum likelihood of chosen quantities of `device`, given how often it switched.

    The counts are binomial around `switching_probability(device, Pulse(current, width))`. A quantity keeps the sign of
    its value in `device` and is fitted by its logarithm; one that is zero there may take either sign. Where the
    critical current is more than a factor of two from where the data switch, the search starts where they agree.
    Damped Fisher scoring on the deviance residuals follows. Uncertainties are those of the Fisher information.

    - `device`: the model, with its starting values.
    - `data`: of one direction and one device. Voltages are turned into currents by `device.write_resistance`.
    - `where`: returns the quantities to fit, like `lambda d: (d[SpinOrbitTorque].theta_sh, d.layer.alpha)`; or their
      names, `("theta_sh", "alpha")`.
    - `method`, `relax`: as for `switching_probability`. `FokkerPlanck()` chooses its truncation by the strongest pulse,
      for an absolute error well below one trial, again where the search ends.
    - `starts`: from how many points the search starts, the further ones up to a factor of two from the first.
    - `progress`: whether a line on standard error reports.

    Raises `ValueError` where `where` fits no scalar quantity, the data hold several directions or devices, or have a
    `field` column while the device has no applied field.
    """
    _require_one(data)
    method = FokkerPlanck() if method is None else method
    parameters = by_where(device, where) if callable(where) else by_names(device, where)
    model = _model(device, parameters, data, method, relax)
    model, best = _search(model, data, starts=starts, progress=progress)
    at = _prediction(_linearised(model, jnp.asarray(best.x)))
    fitted = model.device_at(jnp.asarray(best.x))
    covariance = _covariance(fisher_information(data.trials, at))
    value = np.array([float(v) for v in values(fitted, parameters)])
    scale = np.where(model.linear, 1.0, value)
    total = float(np.sum(deviances(data.switched, data.trials, at.p, at.q)))
    dof = len(data) - len(parameters)
    estimates = Estimates(
        names=tuple(p.name for p in parameters),
        units=tuple(p.unit for p in parameters),
        value=value,
        stderr=np.abs(scale) * np.sqrt(np.diag(covariance)),
        logarithmic=tuple(bool(not linear) for linear in model.linear),
    )
    return Fit(
        device=fitted,
        estimates=estimates,
        covariance=scale[:, None] * covariance * scale,
        deviance=total,
        dof=dof,
        p_value=chi_square_tail(total, dof),
        warnings=data.warnings + criticise(data, at, estimates.names, best, ~model.linear, REACH),
        data=data,
        method=model.method,
        relax=None if relax is None else float(as_scalar(relax)),
    )


class _Model(eqx.Module):
    """The switching probability of every setting as a function of k numbers x, all zero at the start."""

    device: Device
    leaves: tuple[int, ...] = eqx.field(static=True)
    start: Float[Array, " k"]
    linear: np.ndarray
    amplitude: Float[Array, " n"]
    width: Float[Array, " n"]
    field: Float[Array, " n"] | None
    method: AbstractMethod
    relax: Array | None
    of_voltage: bool = eqx.field(static=True)

    def device_at(self, x: Float[Array, " k"]) -> Device:
        """The device for the numbers `x`: logarithms of factors, or differences for linear quantities."""
        value = jnp.where(self.linear, self.start + x, self.start * jnp.exp(x))
        return replaced(self.device, self.leaves, value)

    def __call__(self, x: Float[Array, " k"]) -> tuple[Array, Array]:
        """Probability of switching and of not switching, each of shape (n,)."""
        device = self.device_at(x)
        current = self.amplitude / device.write_resistance if self.of_voltage else self.amplitude

        def one(current, width, field):
            here = device if field is None else _at_field(device, field)
            relax = settling_time(here) if self.relax is None else self.relax
            p = self.method.probability(here, Pulse(current, width), relax)
            return p.value, p.complement

        return jax.vmap(one, in_axes=(0, 0, None if self.field is None else 0))(current, self.width, self.field)


@eqx.filter_jit
def _linearised(model: _Model, x: Array) -> Any:
    def twice(x):
        both = model(x)
        return both, both

    return jax.jacfwd(twice, has_aux=True)(x)


def _search(model: _Model, data: SwitchingData, *, starts: int, progress: bool) -> tuple[_Model, Minimum]:
    """The model, resolved finely enough for where the search ended, and that place."""
    x, resolved = least_move(model.device_at, len(model.leaves), midpoint(data, model.device)), False
    while True:
        method = resolving(model.method, model.device_at(jnp.asarray(x)), data, model.relax, again=resolved)
        if resolved and method == model.method:
            return model, best
        model = dataclasses.replace(model, method=method)
        problem = Problem(data.switched, data.trials, lambda x, m=model: _prediction(_linearised(m, jnp.asarray(x))))
        best = minimise(problem, around(x, 1 if resolved else starts), progress=progress)
        x, resolved = best.x, True


def _prediction(linearised: Any) -> Prediction:
    (dp, dq), (p, q) = linearised
    return Prediction(*(np.asarray(a, float) for a in (p, q, dp, dq)))


def _model(device: Device, parameters: tuple[Parameter, ...], data: SwitchingData, method, relax) -> _Model:
    if data.field is not None:
        _at_field(device, 0.0)
    start = jnp.stack([as_scalar(v) for v in values(device, parameters)])
    return _Model(
        device,
        tuple(p.leaf for p in parameters),
        start,
        np.asarray(start) == 0,
        as_scalar(data.amplitude),
        as_scalar(data.width),
        None if data.field is None else as_scalar(data.field),
        method,
        None if relax is None else as_scalar(relax),
        of_voltage=data.voltage is not None,
    )


def _at_field(device: Device, field: ArrayLike) -> Device:
    """`device` in an applied field of another strength (T) but the same direction."""
    terms = [i for i, term in enumerate(device.terms) if isinstance(term, AppliedField)]
    if len(terms) != 1:
        raise ValueError(f"Data with a `field` need a device with one AppliedField, but this has {len(terms)}.")
    B = device.terms[terms[0]].B  # type: ignore[attr-defined]
    return eqx.tree_at(lambda d: d.terms[terms[0]].B, device, field * B / jnp.linalg.norm(B))


def _covariance(information: np.ndarray) -> np.ndarray:
    """Its inverse; directions without information get an enormous, but finite, variance."""
    scales, axes = np.linalg.eigh(information)
    floor = max(1e-13 * scales[-1], 1e-30)
    return (axes / np.maximum(scales, floor)) @ axes.T


def _require_one(data: SwitchingData) -> None:
    for name, verb in (("direction", "direction"), ("device_id", "device")):
        if len(data.labels(name)) > 1:
            raise ValueError(
                f"A fit takes the data of one {verb}, but these have {', '.join(data.labels(name))}: "
                f"choose by `data.select({name}=...)`."
            )
