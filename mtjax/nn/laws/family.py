"""One law for a whole family: perpendicular junctions under spin-transfer torque, of any barrier, size and pulse."""

from __future__ import annotations

from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float, Real

from mtjax.devices import Device
from mtjax.files import read_arrays, write_arrays
from mtjax.nn.laws.law import AbstractLaw, ChebyshevLaw, clenshaw, polynomials
from mtjax.printing import with_unit
from mtjax.quantities import quantity

OVER = 6.0
"""The highest drive of the family: I/Ic = 1 + this over the pulse's width in relaxation times."""
_NUMBERS = ("coefficients", "delta", "critical_current", "relaxation_time", "width")
Current = Float[Array, "*batch"]


class PerpendicularLaw(AbstractLaw):
    """Switching probability of a perpendicular junction without an applied field, under rectangular pulses of current.

    Such a junction obeys an equation in three numbers (and the damping): I/Ic, the barrier over kT, and the width in
    relaxation times. logit P is a product Chebyshev series in the place of I between 0 and the highest drive, ln delta and
    ln(width / relaxation time). Numbers of one junction or, with leading axes, of many.

    - `coefficients`: shape (drive, delta, time).
    - `ranges`: of ln delta and of ln(width / relaxation time).
    - `delta`: barrier over kT; `critical_current`: A; `relaxation_time`: s; `width`: of the pulse, s.
    - `error`: largest error in probability at independent check points.
    - `provenance`: what it was made from, in words.

    >>> import mtjax as mtj
    >>> device = mtj.presets.perpendicular_stt(40.0)
    >>> for width in (5e-9, 10e-9, 20e-9):
    ...     law = mtj.nn.perpendicular_law().of(device, width)
    ...     print(f"P = 1/2 at {1e6 * law.drive_at(0.5):.1f} uA in {1e9 * width:.0f} ns")
    P = 1/2 at 33.5 uA in 5 ns
    P = 1/2 at 22.1 uA in 10 ns
    P = 1/2 at 16.7 uA in 20 ns
    """

    coefficients: Float[Array, "drive delta time"]
    ranges: tuple[tuple[float, float], tuple[float, float]] = eqx.field(static=True)
    delta: Array = quantity("", positive=True)
    critical_current: Array = quantity("A", positive=True)
    relaxation_time: Array = quantity("s", positive=True)
    width: Array = quantity("s", positive=True)
    error: float = eqx.field(static=True, default=float("nan"))
    provenance: str = eqx.field(static=True, default="")

    def __str__(self) -> str:
        """Junction, pulse, error."""
        numbers = ", ".join(
            f"{name} {with_unit(getattr(self, name), unit)}"
            for name, unit in (("delta", ""), ("critical_current", "A"), ("relaxation_time", "s"), ("width", "s"))
        )
        return f"PerpendicularLaw: {numbers}\n  largest error of the probability where checked: {self.error:.1e}"

    def of(self, device: Device, width: ArrayLike) -> PerpendicularLaw:
        """The law of `device`, of the family, under pulses of `width` seconds."""
        return self.at(device.delta, device.critical_current, device.relaxation_time, width)

    def at(
        self, delta: ArrayLike, critical_current: ArrayLike, relaxation_time: ArrayLike, width: ArrayLike
    ) -> PerpendicularLaw:
        """The law of a junction with these numbers: `critical_current` in A, `relaxation_time` and `width` in s."""
        return PerpendicularLaw(
            self.coefficients, self.ranges, delta, critical_current, relaxation_time, width, self.error, self.provenance
        )

    def save(self, path: str | Path) -> None:
        """Write as `.npz`."""
        numbers = {n: np.asarray(getattr(self, n)) for n in _NUMBERS}
        write_arrays(path, ranges=self.ranges, error=self.error, provenance=self.provenance, **numbers)

    @staticmethod
    def load(path: str | Path) -> PerpendicularLaw:
        """Read what `save` wrote; raises `ValueError` where the file holds something else."""
        found = read_arrays(path, ("ranges", "error", "provenance", *_NUMBERS))
        (a, b), (c, d) = found["ranges"].tolist()
        numbers = {n: jnp.asarray(found[n], jnp.result_type(float)) for n in _NUMBERS}
        return PerpendicularLaw(
            ranges=((a, b), (c, d)), error=float(found["error"]), provenance=str(found["provenance"]), **numbers
        )

    def varied(self, *, Bk: ArrayLike = 1.0, Ms: ArrayLike = 1.0, thickness: ArrayLike = 1.0) -> PerpendicularLaw:
        """With these factors on anisotropy field, magnetisation and thickness: exact, since all three enter by scaling.

        delta and Ic go with Bk Ms t, the relaxation time with 1/Bk.
        """
        energy = jnp.asarray(Bk) * Ms * thickness
        return self.at(self.delta * energy, self.critical_current * energy, self.relaxation_time / Bk, self.width)

    @property
    def domain(self) -> tuple[float, Current]:
        """From 0 to Ic (1 + 6 relaxation times / width), A."""
        return 0.0, self.critical_current * (1 + OVER * self.relaxation_time / self.width)

    def logit(self, drive: Real[ArrayLike, "*batch"]) -> Current:
        """The series; beyond the ends of any range the value at the end."""
        places = (jnp.log(self.delta), jnp.log(self.width / self.relaxation_time))
        y, z = (_unit(x, ends) for x, ends in zip(places, self.ranges, strict=True))
        c, (_, many, long) = self.coefficients, self.coefficients.shape
        series = jnp.einsum("ijk,...j,...k->i...", c, polynomials(y, many), polynomials(z, long))
        x = jnp.clip(2 * drive / self.domain[1] - 1, -1, 1)
        return clenshaw(series.astype(x.dtype), x)


def _unit(x: Array, ends: tuple[float, float]) -> Array:
    low, high = ends
    return jnp.clip((2 * x - (low + high)) / (high - low), -1, 1)


_STORED = Path(__file__).parent / "stored"


def sengupta2016_law() -> ChebyshevLaw:
    """The law of `mtjax.presets.sengupta2016()` under 0.5 ns pulses, 0 to 150 uA, from Fokker-Planck.

    >>> import mtjax as mtj
    >>> law = mtj.nn.sengupta2016_law()
    >>> print(f"P = {law.psw(60e-6):.3f} at 60 uA, {law.psw(80e-6):.3f} at 80 uA")
    P = 0.278 at 60 uA, 0.665 at 80 uA
    >>> print(f"P = 1/2 at {1e6 * law.drive_at(0.5):.1f} uA")
    P = 1/2 at 70.8 uA
    """
    return ChebyshevLaw.load(_STORED / "sengupta2016.json")


def perpendicular_law() -> PerpendicularLaw:
    """The law of the family of `mtjax.presets.perpendicular_stt(20.0)` under 10 ns pulses, from Fokker-Planck.

    `of(device, width)` gives that of another barrier, size or pulse.

    >>> import mtjax as mtj
    >>> law = mtj.nn.perpendicular_law()
    >>> print(f"barrier {law.delta:.0f} kT, Ic {1e6 * law.critical_current:.2f} uA")
    barrier 20 kT, Ic 8.39 uA
    >>> print(f"P = 1/2 at {1e6 * law.drive_at(0.5):.1f} uA in {1e9 * law.width:.0f} ns")
    P = 1/2 at 14.6 uA in 10 ns
    """
    return PerpendicularLaw.load(_STORED / "perpendicular.npz")
