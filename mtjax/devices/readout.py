"""How the magnetisation is read: tunnel magnetoresistance and anomalous Hall resistance."""

from abc import abstractmethod
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from mtjax.printing import Shown
from mtjax.quantities import Scalar, as_scalar, direction, is_known, quantity, require


class AbstractResistance(Shown):
    """A resistance that depends on the magnetisation.

    >>> import jax
    >>> import mtjax as mtj
    >>> class Anisotropic(mtj.AbstractResistance):
    ...     R: jax.Array = mtj.quantity("ohm")
    ...     def __call__(self, m, voltage=0.0):
    ...         return self.R * (1 + 0.02 * m[..., 0] ** 2)
    ...
    >>> print(f"{Anisotropic(100.0)(jax.numpy.array([1.0, 0.0, 0.0])):.1f} ohm along the current")
    102.0 ohm along the current
    """

    @abstractmethod
    def __call__(self, m: Float[Array, "*batch 3"], voltage: ArrayLike = 0.0) -> Float[Array, "*batch"]:
        """Resistance at unit vectors `m`, ohm."""


class TunnelMagnetoresistance(AbstractResistance):
    """A junction whose *conductance* is linear in m.p (Julliere / Slonczewski).

    G = (G_P + G_AP)/2 + (G_P - G_AP)/2 m.p, with TMR(V) = tmr / (1 + (V / half_voltage)^2) and R_AP = R_P (1 + TMR).

    - `R_P`: resistance of the parallel state, ohm.
    - `tmr`: (R_AP - R_P) / R_P at low voltage, 1.0 for 100 %.
    - `reference`: direction p of the reference layer, shape (3,).
    - `half_voltage`: voltage at which the TMR has halved, V; infinite for no bias dependence.

    Raises `ValueError` where a number is not positive.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> junction = mtj.TunnelMagnetoresistance(R_P=5e3, tmr=1.5, half_voltage=0.5)
    >>> print([f"{junction(jnp.array([0.0, 0.0, -1.0]), voltage) / 1e3:.2f} kohm" for voltage in (0.0, 0.5)])
    ['12.50 kohm', '8.75 kohm']
    >>> print(f"{mtj.TunnelMagnetoresistance.julliere(5e3, 0.44, 0.34).tmr:.2f} between iron and cobalt")
    0.35 between iron and cobalt
    """

    R_P: Scalar = quantity("ohm", positive=True)
    tmr: Scalar = quantity("", positive=True)
    reference: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))
    half_voltage: Scalar = quantity("V", finite=False, default=float("inf"))

    def __check_init__(self):
        if is_known(self.half_voltage) and not np.all(np.asarray(self.half_voltage) > 0):
            raise ValueError(f"`half_voltage` of TunnelMagnetoresistance must be positive, but is {self.half_voltage} V.")

    @staticmethod
    def julliere(R_P: ArrayLike, first: ArrayLike, second: ArrayLike, **kwargs: Any) -> "TunnelMagnetoresistance":
        """The junction of two electrodes of known spin polarisations P1 and P2: tmr = 2 P1 P2 / (1 - P1 P2).

        - `R_P`: resistance of the parallel state, ohm; `first`, `second`: the polarisations, above 0 and below 1.
        - `kwargs`: `reference` and `half_voltage`.

        Raises `ValueError` where a polarisation is not between 0 and 1. Julliere, Phys. Lett. A 54, 225 (1975), who relates the
        difference to R_AP: 2 P1 P2 / (1 + P1 P2).
        """
        shares = {"first": first, "second": second}
        require(shares, "first second", positive=True, most=1.0)
        product = as_scalar(first) * second
        return TunnelMagnetoresistance(R_P, 2 * product / (1 - product), **kwargs)

    def __call__(self, m: Float[Array, "*batch 3"], voltage: ArrayLike = 0.0) -> Float[Array, "*batch"]:
        """Resistance at unit vectors `m`, shape (..., 3), and bias `voltage` (V), ohm."""
        tmr = self.tmr / (1 + (as_scalar(voltage) / self.half_voltage) ** 2)
        G_P, G_AP = 1 / self.R_P, 1 / (self.R_P * (1 + tmr))
        return 1 / ((G_P + G_AP) / 2 + (G_P - G_AP) / 2 * jnp.sum(m * self.reference, axis=-1))


class AnomalousHall(AbstractResistance):
    """Hall resistance R = R_AHE m.axis.

    - `R_AHE`: half the difference between the two saturated values, ohm.
    - `axis`: the film's normal, shape (3,).

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> hall = mtj.AnomalousHall(R_AHE=1.0)
    >>> print([f"{hall(jnp.array(m)):.1f} ohm" for m in ([0.0, 0.0, 1.0], [0.6, 0.0, -0.8])])
    ['1.0 ohm', '-0.8 ohm']
    """

    R_AHE: Scalar = quantity("ohm")
    axis: Float[Array, "3"] = direction(default=(0.0, 0.0, 1.0))

    def __call__(self, m: Float[Array, "*batch 3"], voltage: ArrayLike = 0.0) -> Float[Array, "*batch"]:
        """Hall resistance at unit vectors `m`, shape (..., 3), ohm; does not depend on `voltage`."""
        return self.R_AHE * jnp.sum(m * self.axis, axis=-1)


class HallBar(AbstractResistance):
    """Transverse resistance of a Hall bar, anomalous and planar: R = R_AHE mz + 2 R_PHE mx my, the current along x.

    - `R_AHE`: half the difference between the two saturated values along z, ohm.
    - `R_PHE`: half the difference between in-plane angles of 45 and -45 degrees to the current, ohm.

    >>> import jax.numpy as jnp
    >>> import mtjax as mtj
    >>> bar = mtj.HallBar(R_AHE=1.0, R_PHE=0.3)
    >>> print([f"{bar(jnp.array(m)):.2f} ohm" for m in ([0.0, 0.0, 1.0], [0.6, 0.8, 0.0])])
    ['1.00 ohm', '0.29 ohm']
    """

    R_AHE: Scalar = quantity("ohm")
    R_PHE: Scalar = quantity("ohm", default=0.0)

    def __call__(self, m: Float[Array, "*batch 3"], voltage: ArrayLike = 0.0) -> Float[Array, "*batch"]:
        """Hall resistance at unit vectors `m`, shape (..., 3), ohm; does not depend on `voltage`."""
        return self.R_AHE * m[..., 2] + 2 * self.R_PHE * m[..., 0] * m[..., 1]
