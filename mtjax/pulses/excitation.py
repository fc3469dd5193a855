"""A current, a voltage and a magnetic field as functions of time, at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.printing import Shown, describe, shown
from mtjax.pulses.waveform import AbstractPulse, require_single
from mtjax.pulses.waveforms import Pulse, Sine, off
from mtjax.quantities import Numbers, Scalar, as_scalar, is_known, quantity

Component = AbstractPulse | None


class Applied(Shown):
    """What an `Excitation` is at one moment; `None` for what it leaves alone.

    - `current`: A; `voltage`: V; `field`: its components x, y and z, T.

    >>> import mtjax as mtj
    >>> mtj.Excitation(voltage=mtj.Pulse(0.8, 1e-9)).peak
    Applied(current=None, voltage=800 mV, field=(None, None, None))
    """

    current: Scalar | None = quantity("A", default=None)
    voltage: Scalar | None = quantity("V", default=None)
    field: tuple[Any, Any, Any] = (None, None, None)

    @property
    def tried(self) -> Applied:
        """Of the same kind, of a strength that shows what it does to a device: 0.1 mA, 1 V, 0.1 T."""
        return Applied(*(jax.tree.map(lambda _, size=size: jnp.asarray(size), part) for part, size in self._sizes))

    @property
    def _sizes(self) -> tuple[tuple[Any, float], ...]:
        return (self.current, 1e-4), (self.voltage, 1.0), (self.field, 0.1)


def extremes(peak: Any) -> Any:
    """Nothing, and the `peak` of a pulse with all combinations of signs, along a new first axis.

    >>> import mtjax as mtj
    >>> print([f"{current * 1e6:.0f} uA" for current in mtj.pulses.extremes(mtj.Pulse(50e-6, 1e-9).peak)])
    ['0 uA', '50 uA', '-50 uA']
    """
    leaves, structure = jax.tree.flatten(peak)
    signs = np.array([(0.0,) * len(leaves), *itertools.product((1.0, -1.0), repeat=len(leaves))])
    return structure.unflatten([jnp.asarray(x)[None] * signs[:, i].astype(jnp.asarray(x).dtype) for i, x in enumerate(leaves)])


def is_nothing(level: Any) -> Array | np.ndarray:
    """Whether a current, or all of the `Applied`, are zero.

    >>> import mtjax as mtj
    >>> bool(mtj.pulses.is_nothing(mtj.off()(0.0)))
    True
    """
    leaves = jax.tree.leaves(level)
    known = all(map(is_known, leaves))
    return np.asarray(np.all(np.asarray(leaves) == 0)) if known else jnp.all(jnp.stack(leaves) == 0)


def _as_field(field: Any) -> Any:
    """Three components, `None` where there is none."""
    return (None, None, None) if field is None else tuple(field) if isinstance(field, Sequence) else field


class Excitation(AbstractPulse):
    """Current, voltage and magnetic field of a device, each a waveform of its own; accepted wherever a pulse is.

    - `current`: its waveform (A); `None`: no current flows.
    - `voltage`: across the barrier (V), in place of the current times the device's write resistance; `None`: that.
    - `field`: waveforms of the components x, y and z (T), `None` for those that are zero; `pulse.along(direction)` makes
      them. It is applied to every layer in addition to the device's own fields.

    A waveform's numbers are in the unit of what it stands for: `Pulse(0.2, 1e-9)` is 200 mT as a field. Excitations add,
    scale and shift as a whole. Heat is that of the current.

    Raises `ValueError` where nothing is given, or something that is no single waveform.

    >>> import mtjax as mtj
    >>> kick = mtj.Excitation(field=mtj.Pulse(0.2, 1e-9).along((0.0, 0.0, -1.0)))
    >>> help_by_voltage = mtj.Excitation(current=mtj.Pulse(20e-6, 5e-9), voltage=mtj.Pulse(0.8, 5e-9))
    >>> microwave = mtj.Pulse(20e-6, 5e-9) + mtj.Excitation(field=(mtj.Sine(1e-3, 6e9, 5e-9), None, None))
    >>> print(kick)
    Excitation
      field along z: Scaled
        Pulse
          amplitude = 200 mT
          width = 1 ns
          delay = 0 s
          rise = 0 s
          fall = 0 s
        factor = -1
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> print(f"{device.field(mtj.Vector.of(device.start), device.drive(kick(0.5e-9))).z * 1e3:.0f} mT")
    20 mT
    """

    current: Component = None
    voltage: Component = None
    field: Any = eqx.field(default=None, converter=_as_field)

    def __check_init__(self):
        if not isinstance(self.field, tuple) or len(self.field) != 3:
            raise ValueError(
                "`field` of Excitation must be three waveforms (or None), along x, y and z, as `pulse.along(direction)` makes "
                f"them, but is {self.field!r}."
            )
        given = [one for one in (self.current, self.voltage, *self.field) if one is not None]
        if not given:
            raise ValueError("An Excitation must have a current, a voltage or a field, but all are None.")
        require_single(self, *given)

    def _of(self, of: Callable[[AbstractPulse], Any]) -> Applied:
        """`of` every waveform."""
        return Applied(*self._changed(of))

    def _changed(self, to: Callable[[AbstractPulse], Any]) -> tuple[Any, Any, Any]:
        current, voltage, *field = (None if one is None else to(one) for one in (self.current, self.voltage, *self.field))
        return current, voltage, tuple(field)

    def __call__(self, t: ArrayLike) -> Applied:
        """Applied at time `t` (s)."""
        return self._of(lambda pulse: pulse(t))

    def mean(self, t: ArrayLike, dt: ArrayLike) -> Applied:
        """Mean of all of them from `t` to `t + dt` (s)."""
        return self._of(lambda pulse: pulse.mean(t, dt))

    @property
    def waveforms(self) -> tuple[AbstractPulse, ...]:
        """Those of current, voltage and field."""
        return tuple(one for one in (self.current, self.voltage, *self.field) if one is not None)

    @property
    def electric(self) -> AbstractPulse:
        """The current alone."""
        return off() if self.current is None else self.current

    @property
    def breakpoints(self) -> Float[Array, " n"]:
        """Those of all waveforms, s."""
        return jnp.concatenate([pulse.breakpoints for pulse in self.waveforms])

    @property
    def knots(self) -> Float[Array, " n"]:
        """Those of all waveforms, s."""
        return jnp.concatenate([pulse.knots for pulse in self.waveforms])

    @property
    def end(self) -> Scalar:
        """Time from which all of them stay zero, s."""
        return jnp.max(jnp.stack([pulse.end for pulse in self.waveforms]))

    @property
    def peak(self) -> Applied:
        """Upper bounds of their absolute values."""
        return self._of(lambda pulse: pulse.peak)

    def __mul__(self, factor: ArrayLike) -> Excitation:
        """All of them times a number."""
        return Excitation(*self._changed(lambda pulse: pulse * factor))

    __rmul__ = __mul__

    def __neg__(self) -> Excitation:
        """All of them with their signs changed."""
        return self * -1.0

    def __add__(self, other: AbstractPulse) -> Excitation:
        """Both at once; of two voltages, currents or components of a field the sum."""
        mine, others = (self._parts, other._parts if isinstance(other, Excitation) else (other, *4 * [None]))
        current, voltage, *field = (b if a is None else a if b is None else a + b for a, b in zip(mine, others, strict=True))
        return Excitation(current, voltage, tuple(field))

    __radd__ = __add__

    @property
    def _parts(self) -> tuple[Component, ...]:
        return (self.current, self.voltage, *self.field)

    def shifted(self, delay: ArrayLike) -> Excitation:
        """All of them `delay` seconds later."""
        return Excitation(*self._changed(lambda pulse: pulse.shifted(delay)))

    def __str__(self) -> str:
        """Every quantity with its unit."""
        rows = [(name, describe(one, "  ", {"A": unit}).lstrip()) for name, unit, one in self._named if one is not None]
        return "\n".join(["Excitation", *(f"  {name}: {text}" for name, text in rows)])

    def __repr__(self) -> str:
        """The call that makes it."""
        current, voltage, *field = (str(one and shown(one, units={"A": unit})) for _, unit, one in self._named)
        return f"Excitation(current={current}, voltage={voltage}, field=({', '.join(field)}))"

    @property
    def _named(self) -> list[tuple[str, str, Component]]:
        """All of them, with name and unit."""
        names = ("current", "A"), ("voltage", "V"), *((f"field along {axis}", "T") for axis in "xyz")
        return [(*name, one) for name, one in zip(names, self._parts, strict=True)]


def excited(
    width: ArrayLike,
    current: ArrayLike | None = None,
    voltage: ArrayLike | None = None,
    field: Numbers | None = None,
    *,
    frequency: ArrayLike | None = None,
) -> AbstractPulse:
    """Current (A), voltage (V) and field (T, shape (3,)) of the same `width` (s), as many of them as are given.

    - `frequency`: of sine bursts in place of rectangular pulses, Hz.

    A `Pulse` or `Sine` where there is a `current` only, else an `Excitation`. Raises `ValueError` where all are missing.

    >>> import mtjax as mtj
    >>> print(mtj.pulses.excited(1e-9, 50e-6).peak, mtj.pulses.excited(1e-9, field=(0.0, 0.0, -0.1)).peak.field[2])
    5e-05 0.1
    """

    def wave(amplitude):
        return Pulse(amplitude, width) if frequency is None else Sine(amplitude, frequency, width)

    if voltage is None and field is None and current is not None:
        return wave(current)
    return Excitation(
        None if current is None else wave(current),
        None if voltage is None else wave(voltage),
        None if field is None else tuple(None if part is None else wave(part) for part in _components(as_scalar(field))),
    )


def _components(field: Array) -> list[Array | None]:
    """Components x, y and z, `None` for those that are known to be zero (but for one)."""
    found: list[Array | None] = [None if is_known(part) and not np.any(np.asarray(part)) else part for part in field]
    return found if any(part is not None for part in found) else [None, None, field[2]]
