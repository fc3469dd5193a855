"""Sweeps: the switching probability at every point of a grid, each point by itself."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float

from mtjax.checks import SecondsFromZero
from mtjax.devices import Device, by_names, replaced
from mtjax.files import rebuilt
from mtjax.printing import Shown
from mtjax.pulses import AbstractPulse, excited
from mtjax.quantities import as_direction, as_numpy
from mtjax.switching import AbstractMethod, Automatic, MonteCarlo, Splitting, ThermalActivation, switching_probability

PULSE = {"current": "A", "width": "s", "voltage": "V", "field": "T", "frequency": "Hz"}
"""What is swept of the pulse, with its unit; every other name is a quantity of the device."""


class Axis(Shown):
    """One quantity that is swept.

    - `name`: "current", "width", "voltage", "field" (its strength) or "frequency" of the pulse, or a quantity of the device by
      the names of its printout.
    - `values`: shape (n,), SI.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> axis = mtj.Axis("width", np.array([1e-9, 2e-9, 5e-9]))
    >>> axis.name, len(axis.values)
    ('width', 3)
    """

    name: str = eqx.field(static=True)
    values: Float[np.ndarray, " n"] = eqx.field(converter=as_numpy)

    def __check_init__(self):
        if self.values.ndim != 1 or not self.values.size or not np.all(np.isfinite(self.values)):
            raise ValueError(f"The values of {self.name!r} must be finite, and at least one, but are {self.values}.")


class Answer(NamedTuple):
    """The switching probability at one point of a sweep; all `nan` where the method has none, with its `reason`.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> axis = mtj.Axis("current", np.array([0.6, 0.65]) * float(device.critical_current))
    >>> answer = mtj.Sweep(device, (axis,), mtj.ThermalActivation(), width=1e-7).answer(0)
    >>> f"switches with {answer.value:.3f}, fails with {answer.complement:.3f}"
    'switches with 0.205, fails with 0.795'
    """

    value: float
    complement: float
    stderr: float
    reason: str = ""


class Sweep(Shown):
    """The switching probability of `device` under a pulse of current, voltage and field, over a grid of quantities.

    Points are numbered with the last axis fastest. Random numbers depend on the number of a point only, not on who works it
    out.

    - `device`; `axes`: what is swept.
    - `current` (A), `width` (s): of the pulse, where they are not swept.
    - `method`, `relax` (s): as for `switching_probability`.
    - `voltage`: of the pulse, V; `None`: the current times the write resistance.
    - `field`: of the pulse, T, shape (3,); where its strength is swept, its direction; `None`: there is none.
    - `frequency`: of sine bursts in place of rectangular pulses, Hz.

    Raises `ValueError` where a name fits no quantity, one is swept twice, a number of the pulse is missing, or a value is out
    of range.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> axes = mtj.Axis("current", np.array([6e-6, 9e-6])), mtj.Axis("alpha", np.array([0.01, 0.02, 0.03]))
    >>> sweep = mtj.Sweep(device, axes, mtj.ThermalActivation(), width=1e-7)
    >>> sweep.size, f"point 4 has a damping of {sweep.situation(4)[0].layer.alpha:.2f}"
    (6, 'point 4 has a damping of 0.02')
    """

    device: Device
    axes: tuple[Axis, ...]
    method: AbstractMethod
    current: float | None = None
    width: float | None = None
    relax: SecondsFromZero | None = None
    voltage: float | None = None
    field: tuple[float, float, float] | None = None
    frequency: float | None = None

    def __check_init__(self):
        names = self.names
        if len(set(names)) < len(names):
            raise ValueError(f"A quantity can be swept once only, but these are swept: {', '.join(names)}.")
        self._require_pulse()
        for place in range(len(self.axes)):
            for index in range(self.shape[place]):
                self._situation([index if i == place else 0 for i in range(len(self.axes))])

    def _require_pulse(self) -> None:
        """Raise `ValueError` where something is missing of the pulse."""
        there = {name for name in PULSE if name in self.names or getattr(self, name) is not None}
        drives = there & {"current", "voltage", "field"}
        lacking = [name for name in ("current", "width") if name not in there and not (name == "current" and drives)]
        if lacking:
            raise ValueError(f"The pulse must have a current and a width, but the {' and the '.join(lacking)} is missing.")
        if "field" in self.names and self.field is None:
            raise ValueError("A `field` that is swept must have a direction, `field=(x, y, z)`, but has none.")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of values along the axes."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def size(self) -> int:
        """Number of points."""
        return int(np.prod(self.shape))

    def unit(self, name: str) -> str:
        """SI unit of a swept quantity."""
        return PULSE[name] if name in PULSE else by_names(self.device, [name])[0].unit

    def situation(self, number: int) -> tuple[Device, AbstractPulse]:
        """Device and pulse at a point."""
        return self._situation([int(i) for i in np.unravel_index(number, self.shape)])

    def _situation(self, place: list[int]) -> tuple[Device, AbstractPulse]:
        found = {axis.name: float(axis.values[i]) for axis, i in zip(self.axes, place, strict=True)}
        if "field" in found:
            found["field"] = found["field"] * as_direction(self.field)
        pulse = excited(**{name: found.pop(name, getattr(self, name)) for name in PULSE})
        leaves = [p.leaf for p in by_names(self.device, found)]
        return rebuilt(replaced(self.device, leaves, found.values())), pulse  # put together anew: checked

    def answer(self, number: int) -> Answer:
        """The switching probability at a point."""
        device, pulse = self.situation(number)
        try:
            known = isinstance(self.method, ThermalActivation)  # other methods look at the numbers before they compile
            compute = _compiled if known else switching_probability
            found = compute(device, pulse, method=_own(self.method, number), relax=self.relax)
            error = np.nan if found.stderr is None else float(found.stderr)
            return Answer(float(found.value), float(found.complement), error)
        except (ValueError, RuntimeError) as error:
            return Answer(np.nan, np.nan, np.nan, sentence(error))


_compiled = eqx.filter_jit(switching_probability)


def _own(method: AbstractMethod, number: int) -> AbstractMethod:
    """The method with random numbers that belong to a point."""
    if not isinstance(method, (Automatic, MonteCarlo, Splitting)):
        return method
    return dataclasses.replace(method, key=jax.random.fold_in(method.key, number))


def sentence(error: Exception) -> str:
    r"""What an error says, without the lines that equinox puts around it.

    >>> import mtjax as mtj
    >>> mtj.sweeps.sentence(ValueError("The width must be positive, but is -1 s.\n--------------------\n"))
    'The width must be positive, but is -1 s.'
    """
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("---") and "Above is the stack" not in line), "")
