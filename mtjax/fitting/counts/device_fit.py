"""Device parameters from measured switching probabilities, with their uncertainty."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Annotated, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from mtjax.checks import Count, Wait, Within, checked
from mtjax.devices import Device, Parameter, by_names, by_where
from mtjax.fitting.binomial import Prediction, chi_square_tail, deviances, fisher_information, residuals
from mtjax.fitting.counts.criticism import criticise
from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.lapses import AbstractLapse
from mtjax.fitting.counts.least_deviance import Minimum, Problem, around, minimise
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import (
    BinomialLikelihood,
    Settings,
    SwitchingModel,
    compose,
    settings_of,
    with_method,
)
from mtjax.fitting.counts.sampled import FEW, sampled_values, with_samples
from mtjax.fitting.counts.start import least_move, midpoint
from mtjax.fitting.result import AbstractFit, Estimates, covariance_of, estimates_of
from mtjax.fitting.space import AbstractPrior, Bounds, Coordinates
from mtjax.printing import Shown
from mtjax.progress import progress_bar
from mtjax.quantities import Numbers, as_scalar, in_default, in_double, require
from mtjax.switching import AbstractMethod, Automatic, MonteCarlo, engine_for_many, least_resolved, resolving

_NEARLY = 0.1
"""A search by sampling ends where the deviance could fall by less than this, which is what slopes are good for, or noise."""
_PATIENCE = (2, 5)
"""Steps without a gain before a search by sampling is given up, without a lapse and with one, whose curves bend more."""
_SAMPLES_PER_TRIAL, _SAMPLES = 32, (4096, 65536)
"""Samples of a setting for each of its trials, so that sampling adds 3 % to the variance; the fewest and the most."""
_BAD, _SCATTERED, _TRIED = 4.0, 40, 3
"""Times the deviance that chance allows, from which on a first search is taken to have ended in a wrong valley; then how many
places about it are looked at, and from how many of the likeliest a search begins."""
_SHARES = 2.0 ** np.arange(-1.5, 2.0, 0.5)
"""Of the current where data switch, critical currents at which a search by sampling may start."""
_ASIDE = (-1.4, -0.7, 0.7, 1.4)
"""How far a coordinate, a logarithm, is moved for further places."""
_UNEASY = 0.5
"""Share of the variance that sampling may add before it is said."""

Where = Callable[[Device], Any] | tuple[str, ...] | list[str]
"""Quantities of a device: what returns them, or their names."""


class Fit(AbstractFit):
    """The outcome of `fit`; prints as a table.

    - `model`: as it was fitted (in double precision), with its method and its starting values.
    - `data`: what was fitted.
    - `estimates`: of the fitted quantities, each with value and standard error.
    - `covariance`: of them, from the Fisher information (and the priors), in their units, shape (k, k).
    - `deviance`: twice the log-likelihood ratio between a free probability for every setting and the model, less what
      noise adds to it where probabilities are sampled.
    - `dof`: settings minus quantities that the data (rather than the priors) determine.
    - `p_value`: of the deviance, by the chi-square distribution; approximate where counts are small.
    - `warnings`: what is wrong with the fit, one sentence each.
    - `by`: which column tells the groups of `model.groups` apart.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> print(f"Bk {1e3 * found.estimates['Bk'].value:.1f} mT, p = {found.p_value:.2f}")
    Bk 220.4 mT, p = 0.90
    >>> print(f"P = {found.predict(10.5e-6, 100e-9).p[0]:.3f} at 10.5 uA")
    P = 0.379 at 10.5 uA
    """

    model: SwitchingModel
    data: SwitchingData
    estimates: Estimates
    covariance: Float[np.ndarray, "k k"]
    deviance: float
    dof: int
    p_value: float
    warnings: tuple[str, ...]
    by: str = "device_id"

    @property
    def space(self) -> Coordinates:
        """The coordinates of the fitted quantities, with their bounds and priors."""
        return self.model.space

    @property
    def likelihood(self) -> BinomialLikelihood:
        """A module that gives the log-likelihood of coordinates, shape (k,)."""
        rows = settings_of(self.data, self.by, self.model.groups)
        device, lapse = in_default((self.model.device, self.model.lapse))
        model = dataclasses.replace(self.model, device=device, lapse=lapse)
        return BinomialLikelihood(model, rows, self.data.switched, self.data.trials)

    @property
    def kind(self) -> str:
        """Number of settings, and the method."""
        return f"{len(self.data)} settings, by {self.method.name}"

    @property
    def method(self) -> AbstractMethod:
        """How probabilities were worked out."""
        return self.model.method

    @property
    def device(self) -> Device:
        """The device with the fitted values (those of the first group, where groups have their own)."""
        return self.device_of(None)

    def device_of(self, label: str | None) -> Device:
        """The device of one group, in the session's precision; raises `ValueError` where there is none of that label."""
        return in_default(in_double(self.model.device_of)(self.at, self._group(label)))

    @property
    def lapse(self) -> AbstractLapse | None:
        """The fitted lapse, if there is one."""
        return in_default(in_double(self.model.lapse_of)(self.at))

    @checked
    def predict(
        self,
        amplitude: Annotated[Numbers, Within()],
        width: Annotated[Numbers, Within(positive=True, unit="s")],
        field: Annotated[Numbers, Within()] | None = None,
        *,
        temperature: Annotated[Numbers, Within(least=0.0, unit="K")] | None = None,
        group: str | None = None,
    ) -> Prediction:
        """Switching probabilities of the fitted device, with their derivatives in the fitted quantities.

        - `amplitude`: A or V, whichever the data have, shape (n,); `width`: s; `field`: T; `temperature`: K. They broadcast.
        - `group`: label of the device (or direction), where groups have quantities of their own.
        """
        given = (amplitude, width, field, temperature)
        try:
            shape = np.broadcast_shapes((1,), *(np.shape(x) for x in given if x is not None))
        except ValueError:
            raise ValueError(
                f"Amplitudes, widths, fields and temperatures must be one or as many, but are {[np.size(x) for x in given]}."
            ) from None
        columns = [None if x is None else np.broadcast_to(np.asarray(x, float), shape) for x in given]
        return self.predict_rows(Settings(columns[0], columns[1], np.full(shape, self._group(group)), *columns[2:]))

    @in_double
    def predict_rows(self, rows: Settings) -> Prediction:
        """The same for settings; as many at a time as in the fit, so that what was compiled for it serves again."""
        number, size = len(rows), len(self.data)
        padded = jax.tree.map(lambda x: np.pad(x, (0, -number % size), mode="edge"), rows)
        parts = [padded.rows(np.arange(i, i + size)) for i in range(0, len(padded), size)]
        found = [linearised(self.model, jnp.asarray(self.at), part) for part in parts]
        p, q, dp, dq = (np.concatenate([np.asarray(x, float) for x in part])[:number] for part in zip(*found, strict=True))
        scale = self.space.scale(self.estimates.value)
        return Prediction(p, q, dp / scale, dq / scale)

    def fitted(self) -> Prediction:
        """The probabilities of the measured settings."""
        return self.predict_rows(self.likelihood.rows)

    def residuals(self) -> Float[np.ndarray, " n"]:
        """Signed deviance residuals of the settings, shape (n,): about standard normal where the model is right."""
        at = self.fitted()
        return _np(in_double(residuals)(self.data.switched, self.data.trials, at.p, at.q))

    def _group(self, label: str | None) -> int:
        if label is None:
            return 0
        if label not in self.model.groups:
            raise ValueError(f"The group must be one of {', '.join(self.model.groups) or 'none'}, but is {label!r}.")
        return self.model.groups.index(label)


@checked
@in_double
def fit(
    device: Device,
    data: SwitchingData,
    *,
    where: Where = (),
    each: Where = (),
    by: str = "device_id",
    lapse: AbstractLapse | None = None,
    priors: Mapping[str, AbstractPrior] | None = None,
    bounds: Bounds | None = None,
    method: AbstractMethod | None = None,
    relax: Wait | None = None,
    starts: Count = 1,
    progress: bool = False,
    checkpoint: str | PathLike[str] | None = None,
) -> Fit:
    """Maximum likelihood of chosen quantities of `device`, given how often it switched.

    The counts are binomial around `switching_probability(device, Pulse(current, width))`, at the field and temperature of
    each row where the data have them: widths, fields, temperatures and devices go into one fit. A quantity keeps the sign
    of its value in `device` and is fitted by its logarithm; one that is zero there, or whose bounds hold zero, may take
    either sign. Where the critical current is more than a factor of two from where the data switch, the search starts where
    they agree. optimistix's dogleg on the deviance residuals follows. Uncertainties are those of the Fisher information.
    All is done in double precision.

    - `device`: the model, with its starting values.
    - `data`: voltages are turned into currents by `device.write_resistance`.
    - `where`: returns the quantities that all rows share, like `lambda d: (d[SpinOrbitTorque].theta_sh, d.layer.alpha)`; or
      their names, `("theta_sh", "alpha")`.
    - `each`: quantities with a value of their own for every label in the column `by` ("device_id" or "direction"); they
      are called "Bk[A]" then.
    - `lapse`: a part of the model that is no macrospin, `Misread()` or `BackHopping(end=1.0)`; its quantities are fitted.
    - `priors`, `bounds`: by name: `{"Bk": LogNormal(0.3, 1.2)}`, `{"alpha": (0.005, 0.1)}` (without: a factor of 1000).
    - `method`, `relax`: as for `switching_probability`. By default Fokker-Planck where that is cheap (devices with an axis of
      symmetry), else Monte Carlo with 32 samples a trial. `FokkerPlanck()` chooses its truncation by the strongest pulses, for
      an absolute error well below one trial, again where the search ends. `MonteCarlo(...)` searches with 256 samples a
      setting first, then with all; slopes are differences by common random numbers, and the noise of sampling is part of the
      standard errors.
    - `starts`: from how many points the search starts, the further ones up to a factor of two from the first. Monte Carlo
      looks at them and others with 256 samples, and starts from the likeliest.
    - `progress`: whether a line on standard error reports.
    - `checkpoint`: a file; a search that was interrupted goes on from there.

    Raises `ValueError` where nothing is to be fitted, `relax` is negative, the data hold several directions or devices that
    nothing tells apart, or have a `field` column while the device has no applied field.

    >>> import mtjax as mtj
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> print(found)
        estimate  std. error  95 % interval
    Bk  220.4 mT  1.036 mT    218.3 mT ... 222.4 mT
    deviance 0.572 on 3 degrees of freedom (p = 0.9), 4 settings, by thermal activation
    """
    require({"relax": relax}, "relax", least=0.0, unit="s")
    require({"starts": starts}, "starts", least=1)
    groups = _groups(data, by, each)
    shared, own = (_parameters(device, chosen) for chosen in (where, each))
    if not (shared or own):
        raise ValueError("A fit needs at least one quantity to fit, in `where` or `each`, but has none.")
    model = compose(
        device, shared, own, groups, lapse=lapse, bounds=bounds, priors=priors,
        method=Automatic() if method is None else method,
        relax=None if relax is None else float(as_scalar(relax)), of_voltage=data.voltage is not None,
    )  # fmt: skip
    rows = settings_of(data, by, groups)
    jax.eval_shape(lambda: model.situation(model.space.at(model.space.start), rows.rows(np.array(0))))
    start = _moved_start(model, data, rows)
    model = _with_engine(model, data, rows, start)
    if isinstance(model.method, MonteCarlo):
        model = _with_one_step(model, rows, start)
        likelihood = BinomialLikelihood(model, rows, data.switched, data.trials)
        with progress_bar("fit", shown=progress, unit=" steps") as bar:
            places = [*around(start, starts, model.space), *_other_starts(model, data, rows, start)]
            (start,) = _likeliest(likelihood, places, 1)
            return _sampled(likelihood, start, data, by, bar=bar, checkpoint=checkpoint)
    with progress_bar("fit", shown=progress, unit=" steps") as bar:
        model, best = _search(model, rows, data, start, starts=starts, bar=bar, checkpoint=checkpoint)
    at = linearised(model, jnp.asarray(best.c), rows)
    return _concluded(model, data, by, best, at, _np(fisher_information(data.trials, at)))


def refuse_noise(fit: AbstractFit, what: str) -> None:
    """Raise `ValueError` where the likelihood is a random number, which `what` cannot use.

    >>> import equinox as eqx
    >>> import jax
    >>> import mtjax as mtj
    >>> from mtjax.fitting.counts import refuse_noise
    >>> data = mtj.SwitchingData(current=[9e-6, 10e-6, 11e-6, 12e-6], width=100e-9, switched=[3, 16, 69, 99], trials=100)
    >>> found = mtj.fit(mtj.presets.perpendicular_stt(40.0), data, where=("Bk",), method=mtj.ThermalActivation())
    >>> sampled = eqx.tree_at(lambda f: f.model.method, found, mtj.MonteCarlo(1000, jax.random.key(0)))
    >>> refuse_noise(sampled, "A profile")
    Traceback (most recent call last):
        ...
    ValueError: A profile needs a likelihood without noise, but this fit is by Monte Carlo: `fit` by `method=FokkerPlanck()`.
    """
    if isinstance(fit, Fit) and isinstance(fit.method, MonteCarlo):
        raise ValueError(
            f"{what} needs a likelihood without noise, but this fit is by Monte Carlo: `fit` by `method=FokkerPlanck()`."
        )


def _search(model, rows, data, c, *, starts, bar, checkpoint) -> tuple[SwitchingModel, Minimum]:
    """The model, resolved finely enough for where the search ended, and that place."""
    resolved = False
    while True:
        situations = [model.situation(c, rows.rows(i)) for i in _extremes(rows)]
        method = resolving(model.method, situations, float(data.trials.max()), model.relax, again=resolved)
        if resolved and method == model.method:
            return model, best
        model = with_method(model, method, least_resolved(method, float(data.trials.max())))
        problem = Problem(BinomialLikelihood(model, rows, data.switched, data.trials), model.space)
        places = around(c, 1 if resolved else starts, model.space)
        best = minimise(problem, places, bar=bar, checkpoint=checkpoint)
        c, resolved = best.c, True


def _with_engine(model: SwitchingModel, data: SwitchingData, rows: Settings, c: np.ndarray) -> SwitchingModel:
    """The model with the engine that is cheapest for its strongest pulses, where the choice is left open."""
    if not isinstance(model.method, Automatic):
        return model
    samples = int(np.clip(_SAMPLES_PER_TRIAL * np.max(data.trials), *_SAMPLES))
    situations = [model.situation(c, rows.rows(i)) for i in _extremes(rows)]
    found = [engine_for_many(*case, model.wait(case[0]), samples) for case in situations]
    sampled = [method for method in found if isinstance(method, MonteCarlo)]
    return with_method(model, sampled[0] if sampled else found[0])


def _with_one_step(model: SwitchingModel, rows: Settings, c: np.ndarray) -> SwitchingModel:
    """The model with a step of its Monte Carlo that suits its strongest and longest pulses: probed once, not at every row."""
    assert isinstance(model.method, MonteCarlo)
    chosen = {*_extremes(rows), int(np.argmax(rows.width))}
    situations = [model.situation(c, rows.rows(i)) for i in sorted(chosen)]
    methods = [model.method.planned(*case, model.wait(case[0])) for case in situations]
    return with_method(model, min(methods, key=lambda method: method.dt or 0.0))


def _sampled(likelihood: BinomialLikelihood, c: np.ndarray, data: SwitchingData, by: str, *, bar: Any, checkpoint: Any) -> Fit:
    """The fit by sampled probabilities: the search begins with few samples, and the noise of sampling is part of the errors."""
    model, rows = likelihood.model, likelihood.rows
    samples = model.method.samples  # pyright: ignore[reportAttributeAccessIssue]
    for number in sorted({min(FEW, samples), samples}):
        counts = dataclasses.replace(likelihood, model=with_samples(model, number))
        noise = 2 * len(c) * float(np.max(data.trials)) / number
        problem = Problem(counts, model.space, close=max(_NEARLY, noise), patience=_PATIENCE[model.lapse is not None])
        best = minimise(problem, [c], bar=bar, checkpoint=checkpoint if number == samples else None)
        if number < samples and best.deviance > _BAD * float(np.sum(1 + data.trials / number)):
            places = _likeliest(counts, around(best.c, _SCATTERED, model.space), _TRIED)
            best = min(best, minimise(problem, places, bar=bar), key=lambda found: found.deviance)
        c = best.c
    at, share = linearised(model, c, rows), data.trials / samples
    information = _np(fisher_information(data.trials, at))
    pull = _np(fisher_information(data.trials * share, at))
    known = _np(jax.jacfwd(model.space.prior_residuals)(jnp.asarray(c)))
    spread = covariance_of(information + known.T @ known)
    told = 1 / (1 + share)
    return _concluded(
        model, data, by, best, at, information,
        noise=spread @ pull @ spread, told=told, remarks=_sampling_remarks(float(np.max(share))),
    )  # fmt: skip


def _other_starts(model: SwitchingModel, data: SwitchingData, rows: Settings, c: np.ndarray) -> list[np.ndarray]:
    """Places of another critical current than c, and places that differ from it in one coordinate."""
    moved = [_moved_start(model, data, rows, share, near=0.0) for share in _SHARES]
    aside = [np.clip(c + far * row, model.space.lower, model.space.upper) for row in np.eye(len(c)) for far in _ASIDE]
    return [*moved, *aside]


def _likeliest(likelihood: BinomialLikelihood, places: list[np.ndarray], number: int) -> list[np.ndarray]:
    """The `number` likeliest of some places, by few samples."""
    few = with_samples(likelihood.model, FEW)
    found = [sampled_values(few, c, likelihood.rows) for c in places]
    known = [float(jnp.sum(few.space.prior_residuals(jnp.asarray(c)) ** 2)) for c in places]
    costs = [
        float(jnp.sum(deviances(likelihood.switched, likelihood.trials, *at))) + prior
        for at, prior in zip(found, known, strict=True)
    ]
    return [places[i] for i in np.argsort(costs)[:number]]


def _sampling_remarks(share: float) -> tuple[str, ...]:
    """A sentence where sampling adds much to the errors."""
    if share < _UNEASY:
        return ()
    return (
        f"Sampling makes standard errors up to {np.sqrt(1 + share):.2g} times larger than the data would: "
        "give `MonteCarlo` more samples.",
    )


def _concluded(
    model: SwitchingModel,
    data: SwitchingData,
    by: str,
    best: Minimum,
    at: Prediction,
    information: np.ndarray,
    *,
    noise: np.ndarray | float = 0.0,
    told: np.ndarray | float = 1.0,
    remarks: tuple[str, ...] = (),
) -> Fit:
    """Estimates, covariance and criticism at the end of a search."""
    known = jax.jacfwd(model.space.prior_residuals)(jnp.asarray(best.c))
    total = information + _np(known.T @ known)
    spread = covariance_of(total)
    estimates, covariance = estimates_of(model.space, best.c, spread + noise)
    each = told * _np(deviances(data.switched, data.trials, at.p, at.q))
    deviance = float(np.sum(each))
    dof = len(data) - round(float(np.trace(information @ spread)))
    said = criticise(data, each, at, model, best, information, dof)
    return Fit(
        model=model, data=data, estimates=estimates, covariance=covariance, deviance=deviance,
        dof=dof, p_value=chi_square_tail(deviance, dof), warnings=(*data.warnings, *remarks, *said), by=by,
    )  # fmt: skip


def _moved_start(model: SwitchingModel, data: SwitchingData, rows: Settings, share: float = 1.0, **near: float) -> np.ndarray:
    """Coordinates at which every group's critical current is near a `share` of the current where its data switch."""
    start, space = model.space.at(model.space.start), model.space
    moves: list[np.ndarray] = []
    for g in range(max(len(model.groups), 1)):
        taking = np.array([not t.of_lapse and t.group in (-1, g) for t in model.targets])
        place = tuple(int(i) for i in np.flatnonzero(taking))
        part = data if len(model.groups) < 2 else data.take(np.flatnonzero(rows.group == g))

        move = np.full(len(start), np.nan)
        move[list(place)] = least_move(_Moved(model, start, place, g), len(place), share * midpoint(part, model.device), **near)
        moves.append(move)
    room = 0.02 * (space.upper - space.lower)
    return np.clip(start + _mean(moves), space.lower + room, space.upper - room)


class _Moved(Shown):
    """The device of a group as a function of how far some coordinates are moved."""

    model: SwitchingModel
    start: np.ndarray
    place: tuple[int, ...] = eqx.field(static=True)
    group: int = eqx.field(static=True)

    def __call__(self, x):
        return self.model.device_of(jnp.asarray(self.start).at[np.array(self.place)].add(x), self.group)


def _mean(moves: list[np.ndarray]) -> np.ndarray:
    """Mean of the moves that groups ask for, 0 where none does."""
    counts = np.maximum(np.sum(~np.isnan(moves), axis=0), 1)
    return np.nansum(moves, axis=0) / counts


def _extremes(rows: Settings) -> list[int]:
    """Rows that are hardest to resolve: the strongest of every group, and of the coldest temperature."""
    size = np.abs(rows.amplitude)
    parts = [rows.group == g for g in np.unique(rows.group)]
    if rows.temperature is not None:
        parts.append(rows.temperature == rows.temperature.min())
    return sorted({int(np.argmax(np.where(part, size, -1.0))) for part in parts})


def _parameters(device: Device, chosen: Where) -> tuple[Parameter, ...]:
    return by_where(device, chosen) if callable(chosen) else by_names(device, chosen)


def _np(x: Any) -> np.ndarray:
    return np.asarray(x, float)


def _groups(data: SwitchingData, by: str, each: Where) -> tuple[str, ...]:
    """Labels of the groups; raises `ValueError` where rows differ by more than what is told apart."""
    if by not in ("device_id", "direction"):
        raise ValueError(f'Groups are told apart by "device_id" or "direction", but not by {by!r}.')
    grouped = callable(each) or len(each) > 0
    for name, what in (("direction", "direction"), ("device_id", "device")):
        if len(data.labels(name)) > 1 and not (grouped and name == by):
            raise ValueError(
                f"A fit takes the data of one {what}, but these have {', '.join(data.labels(name))}: choose by "
                f"`data.select({name}=...)`, or fit quantities of their own with `each=..., by={name!r}`."
            )
    if grouped and not data.labels(by):
        raise ValueError(f"Quantities of their own for each {by} need data with a column `{by}`, but these have none.")
    return data.labels(by) if grouped else ()
