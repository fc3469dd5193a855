"""The switching probability of every setting of an experiment, as a function of what is fitted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.devices import AppliedField, Device, Parameter, all_parameters, replaced, values
from mtjax.dynamics import settling_time
from mtjax.fitting.binomial import Rows, deviances
from mtjax.fitting.counts.data import SwitchingData
from mtjax.fitting.counts.lapses import AbstractLapse
from mtjax.fitting.space import AbstractPrior, Bounds, Coordinates, coordinates
from mtjax.printing import Shown
from mtjax.pulses import Pulse
from mtjax.quantities import as_scalar, in_default
from mtjax.switching import AbstractMethod, MonteCarlo

Column = Float[np.ndarray, " n"]


class Target(Shown):
    """Where a fitted number goes.

    - `name`: of a quantity of the device (`Bk`, `terms[0].Bk`), or of the lapse where `of_lapse` says so.
    - `group`: of rows; -1 for all.
    """

    name: str = eqx.field(static=True)
    group: int = eqx.field(static=True, default=-1)
    of_lapse: bool = eqx.field(static=True, default=False)


class Settings(Shown):
    """Rows of an experiment.

    - `amplitude` (A or V), `width` (s), `field` (T) and `temperature` (K) where they vary, shape (n,).
    - `group`: number of the group of each row, shape (n,).
    """

    amplitude: Column
    width: Column
    group: Any
    field: Column | None = None
    temperature: Column | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.amplitude)

    def rows(self, chosen: np.ndarray | int) -> Settings:
        """Some of the rows."""
        return jax.tree.map(lambda x: x[chosen], self)


class SwitchingModel(Shown):
    """Probabilities of switching as a function of the coordinates of the fitted quantities.

    - `device`: with all values that are not fitted; `lapse`: what is seen in place of what happens, or `None`.
    - `space`, `targets`: the fitted quantities, and where they go.
    - `groups`: labels of the groups of rows that may have values of their own.
    - `of_voltage`: whether amplitudes are voltages.
    - `method`, `relax`: as for `switching_probability`.
    - `least`: below it a probability means nothing, and counts as this (its slope is kept): else the errors of an engine that
      resolves no smaller ones, divided by a probability near zero, would pass for information.
    """

    device: Device
    lapse: AbstractLapse | None
    space: Coordinates
    targets: tuple[Target, ...]
    groups: tuple[str, ...] = eqx.field(static=True)
    method: AbstractMethod
    relax: float | None = None
    of_voltage: bool = eqx.field(static=True, default=False)
    least: float = eqx.field(static=True, default=0.0)

    def device_of(self, c: ArrayLike, group: int = 0) -> Device:
        """The device of a group at the coordinates c."""
        found = self.space.value(jnp.asarray(c))
        chosen = [(leaf, found[i]) for i, (leaf, t) in enumerate(self._places) if not t.of_lapse and t.group in (-1, group)]
        return replaced(self.device, *zip(*chosen, strict=True)) if chosen else self.device

    def lapse_of(self, c: ArrayLike) -> AbstractLapse | None:
        """The lapse at the coordinates c."""
        found = self.space.value(jnp.asarray(c))
        chosen = [(leaf, found[i]) for i, (leaf, t) in enumerate(self._places) if t.of_lapse]
        return replaced(self.lapse, *zip(*chosen, strict=True)) if chosen else self.lapse

    def __call__(self, c: Float[Array, " k"], rows: Settings) -> tuple[Rows, Rows]:
        """Probability of being seen switched, and not, each of shape (n,)."""
        device_of = self._devices(c)
        p, q = _over_rows(lambda row: self._probability(device_of(row.group), row), rows, in_turn=self.in_turn)
        lapse = self.lapse_of(c)
        return (p, q) if lapse is None else lapse.observed(p, q, rows.amplitude)

    def _devices(self, c: ArrayLike) -> Callable[[Any], Device]:
        """The device of every group, whose number may be traced."""
        found, shared = self.space.value(jnp.asarray(c)), self.device_of(c, group=-1)
        leaves = sorted({leaf for leaf, t in self._places if t.group >= 0})
        if not leaves:
            return lambda group: shared
        own = jnp.stack([self._by_group(found, leaf) for leaf in leaves], axis=1)
        return lambda group: replaced(shared, leaves, list(own[group]))

    @property
    def _places(self) -> list[tuple[int, Target]]:
        """Every target with the number of its leaf in the device, or in the lapse."""
        leaves = {p.name: p.leaf for p in all_parameters(self.device)}
        of_lapse = [] if self.lapse is None else _lapse_names(self.lapse)
        return [(of_lapse.index(t.name) if t.of_lapse else leaves[t.name], t) for t in self.targets]

    def _by_group(self, found: Array, leaf: int) -> Array:
        """Values of a leaf in every group."""
        places = {t.group: i for i, (at, t) in enumerate(self._places) if at == leaf and not t.of_lapse}
        return found[np.array([places[g] for g in range(len(self.groups))])]

    def _probability(self, device: Device, row: Settings) -> tuple[Array, Array]:
        device, pulse = self._situation(device, row)
        p = self.method.probability(device, pulse, self.wait(device))
        return self._raised(p.value), self._raised(p.complement)

    def _raised(self, p: Array) -> Array:
        return p + jax.lax.stop_gradient(jnp.maximum(p, self.least) - p)

    @property
    def in_turn(self) -> bool:
        """Whether rows are worked out one after the other (large arrays that stay in the cache) or all at once."""
        return isinstance(self.method, MonteCarlo) or bool(getattr(self.method, "axisymmetric", False))

    def situation(self, c: ArrayLike, row: Settings) -> tuple[Device, Pulse]:
        """Device and pulse of one row."""
        return self._situation(self._devices(c)(row.group), row)

    def wait(self, device: Device) -> Array:
        """From the end of a pulse until the device is read, s."""
        return settling_time(device) if self.relax is None else as_scalar(self.relax)

    def _situation(self, device: Device, row: Settings) -> tuple[Device, Pulse]:
        device = _placed(device, row.field, row.temperature)
        current = row.amplitude / device.write_resistance if self.of_voltage else row.amplitude
        return device, Pulse(as_scalar(current), as_scalar(row.width))


class BinomialLikelihood(Shown):
    """Logarithm of the likelihood of counts under `model`, relative to that of the measured fractions.

    - `rows`: the settings, n of them; `switched`, `trials`: counts, shape (n,).
    """

    model: SwitchingModel
    rows: Settings
    switched: Column
    trials: Column

    def __call__(self, c: Float[ArrayLike, " k"]) -> Array:
        """Minus half the deviance."""
        p, q = self.model(jnp.asarray(c), self.rows)
        return -jnp.sum(deviances(self.switched, self.trials, p, q)) / 2


def settings_of(data: SwitchingData, by: str, groups: Sequence[str]) -> Settings:
    """The settings of measured rows."""
    labels = getattr(data, by)
    group = np.zeros(len(data), int) if not groups else np.array([groups.index(label) for label in labels])
    return Settings(data.amplitude, data.width, group, data.field, data.temperature)


def compose(
    device: Device,
    shared: Iterable[Parameter],
    each: Iterable[Parameter],
    groups: tuple[str, ...],
    *,
    lapse: AbstractLapse | None,
    bounds: Bounds | None,
    priors: Mapping[str, AbstractPrior] | None,
    method: AbstractMethod,
    relax: float | None,
    of_voltage: bool,
) -> SwitchingModel:
    """The model of an experiment whose rows fall into `groups`, with quantities for all and for each of them."""
    device, lapse = in_default((device, lapse))
    rows = [(p.name, p.unit, v, p.ends, Target(p.name)) for p, v in _with_values(device, shared)]
    for p, v in _with_values(device, each):
        rows += [(f"{p.name}[{label}]", p.unit, v, p.ends, Target(p.name, g)) for g, label in enumerate(groups)]
    natural: dict[str, tuple[float, float]] = {}
    if lapse is not None:
        rows += [(*q, (-np.inf, np.inf), Target(q[0], of_lapse=True)) for q in lapse.quantities]
        natural = lapse.bounds
    names, units, start, ends, targets = zip(*rows, strict=True)
    space = coordinates(names, units, start, bounds={**natural, **(bounds or {})}, priors=priors, ends=ends)
    return SwitchingModel(device, lapse, space, targets, groups, method, relax, of_voltage)


def _lapse_names(lapse: AbstractLapse) -> list[str]:
    """Of its quantities, which are its leaves; also where their values are being traced."""
    return [f"{type(lapse).__name__}.{f.name}" for f in dataclasses.fields(lapse)]


def _with_values(device: Device, parameters: Iterable[Parameter]) -> list[tuple[Parameter, float]]:
    found = tuple(parameters)
    return [(p, float(v)) for p, v in zip(found, values(device, found), strict=True)]


def with_method(model: SwitchingModel, method: AbstractMethod, least: float = 0.0) -> SwitchingModel:
    """The same model by another method, which resolves probabilities down to `least`."""
    return dataclasses.replace(model, method=method, least=least)


def _over_rows(one: Any, rows: Settings, *, in_turn: bool) -> tuple[Array, Array]:
    rows = jax.tree.map(jnp.asarray, rows)
    return jax.lax.map(one, rows) if in_turn else jax.vmap(one)(rows)


def _placed(device: Device, field: ArrayLike | None, temperature: ArrayLike | None) -> Device:
    """`device` in an applied field of another strength (T) but the same direction, at another temperature (K)."""
    if temperature is not None:
        device = eqx.tree_at(lambda d: d.temperature, device, jnp.asarray(temperature, device.temperature.dtype))
    if field is None:
        return device
    terms = [i for i, term in enumerate(device.terms) if isinstance(term, AppliedField)]
    if len(terms) != 1:
        raise ValueError(f"Data with a `field` need a device with one AppliedField, but this has {len(terms)}.")
    B = device.terms[terms[0]].B  # type: ignore[attr-defined]
    return eqx.tree_at(lambda d: d.terms[terms[0]].B, device, field * B / jnp.linalg.norm(B))
