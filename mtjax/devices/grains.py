"""A film of many cells: one current and one temperature, but every cell with its own barrier, fields and size.

A cell is a macrospin of the size that reverses at once (its activation volume). Nothing here is a rule for a neuron or a
synapse: one cell has two states, many cells have many, and heat left by earlier pulses helps later ones.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Bool, Float, Int, Key

from mtjax.devices.device import Device
from mtjax.devices.energies import ExchangeBias, UniaxialAnisotropy
from mtjax.devices.torques import SpinOrbitTorque
from mtjax.printing import Shown, describe, with_unit
from mtjax.quantities import Numbers, Scalar, as_scalar, quantity


class Spread(Shown):
    """How cells differ; all distributions are assumptions of whoever uses them.

    - `Bk`: relative standard deviation of the anisotropy field, which sets a cell's threshold (lognormal).
    - `volume`: that of the activation volume, which sets its barrier together with Bk (lognormal).
    - `size`: that of the area with which it counts in the read-out (lognormal).
    - `bias`: standard deviation of the exchange bias along x, y and z, shape (3,), T (normal).
    - `fixed`: share of cells that never switch.

    Raises `ValueError` where a width is negative, the share is not between 0 and 1, or `bias` lacks the shape (3,).

    >>> import mtjax as mtj
    >>> film = mtj.presets.kurenkov2019(5e-6, spread=mtj.Spread(Bk=0.1))
    >>> print(f"{film.number} cells, Bk within {film.Bk.std() / film.Bk.mean():.0%}")
    877 cells, Bk within 10%
    """

    Bk: Scalar = quantity("", least=0.0, default=0.0)
    volume: Scalar = quantity("", least=0.0, default=0.0)
    size: Scalar = quantity("", least=0.0, default=0.0)
    bias: Float[Array, " 3"] = quantity("T", least=0.0, default=(0.0, 0.0, 0.0))
    fixed: Scalar = quantity("", least=0.0, most=1.0, default=0.0)


class Grains(Shown):
    """A device of many cells.

    - `cell`: the median cell, with the heating, the write path and the read-out of the whole device.
    - `Bk`: anisotropy fields, shape (cells,), T; `volume`: activation volumes over that of `cell`, shape (cells,).
    - `bias`: exchange-bias fields, shape (cells, 3), T; `size`: areas over their sum, shape (cells,).
    - `fixed`: cells that never switch, shape (cells,).
    - `neighbours`: their numbers, -1 for none, shape (cells, 4).
    - `coupling`: field of one neighbour on another, along `cell.start` and times its m.start, T; positive lets domains expand.

    Raises `ValueError` where a field is not finite, a volume not positive, or a size not between 0 and 1.

    >>> import jax
    >>> import mtjax as mtj
    >>> median = mtj.presets.kurenkov2019_neuron().cell
    >>> film = mtj.Grains.draw(median, 600e-9, pitch=150e-9, key=jax.random.key(0), spread=mtj.Spread(Bk=0.1))
    >>> print(f"{film.number} cells; all up they read {film.hall(jax.numpy.ones(film.number)):.2f} ohm")
    13 cells; all up they read 1.00 ohm
    """

    cell: Device
    fixed: Bool[Array, " cells"]
    neighbours: Int[Array, "cells 4"]
    Bk: Float[Array, " cells"] = quantity("T")
    volume: Float[Array, " cells"] = quantity("", positive=True)
    bias: Float[Array, "cells 3"] = quantity("T")
    size: Float[Array, " cells"] = quantity("", least=0.0, most=1.0)
    coupling: Scalar = quantity("T")

    @staticmethod
    def draw(
        cell: Device,
        diameter: ArrayLike,
        *,
        pitch: ArrayLike,
        key: Key[Array, ""],
        spread: Spread | None = None,
        coupling: ArrayLike = 0.0,
    ) -> Grains:
        """A disc of `diameter` (m) with the centres of cells on a square lattice of `pitch` (m): at least one cell.

        - `cell`: the median cell; it must have one `UniaxialAnisotropy` and one `ExchangeBias`.
        - `spread`: how the others differ from it; `None` for not at all.
        - `coupling`: T.

        Raises `ValueError` where `diameter` or `pitch` is not positive, `KeyError` where `cell` lacks a term.
        """
        spread = Spread() if spread is None else spread
        neighbours = jnp.asarray(disc(float(diameter), float(pitch)))
        number = neighbours.shape[0]
        keys = jax.random.split(key, 5)

        def lognormal(key, width):
            return jnp.exp(width * jax.random.normal(key, (number,)))

        size = lognormal(keys[2], spread.size)
        return Grains(
            cell=cell,
            Bk=cell[UniaxialAnisotropy].Bk * lognormal(keys[0], spread.Bk),
            volume=lognormal(keys[1], spread.volume),
            bias=cell[ExchangeBias].B + spread.bias * jax.random.normal(keys[3], (number, 3)),
            size=size / jnp.sum(size),
            fixed=jax.random.uniform(keys[4], (number,)) < spread.fixed,
            neighbours=neighbours,
            coupling=coupling,
        )

    @property
    def number(self) -> int:
        """How many cells."""
        return self.Bk.shape[0]

    @property
    def cells(self) -> Device:
        """Every cell as a device: one whose numbers have a leading axis (cells,)."""
        return eqx.filter_vmap(self.one)(self.Bk, self.volume, self.bias)

    def one(self, Bk: Scalar, volume: Scalar, bias: Float[Array, " 3"]) -> Device:
        """A cell with these values."""
        shape = self.cell.layer.shape
        lengths = (shape.length * jnp.sqrt(volume), shape.width * jnp.sqrt(volume))
        cell = eqx.tree_at(lambda d: (d[UniaxialAnisotropy].Bk, d[ExchangeBias].B), self.cell, (Bk, bias))
        return eqx.tree_at(lambda d: (d.layer.shape.length, d.layer.shape.width), cell, lengths)

    def hall(self, mz: Numbers) -> Float[Array, "*batch"]:
        """Hall resistance of the whole device, ohm, from m along the film's normal, shape (..., cells).

        Raises `ValueError` where the cell has no read-out.
        """
        if self.cell.readout is None:
            raise ValueError("The cell must have a read-out (AnomalousHall), but has none.")
        up = jnp.asarray([0.0, 0.0, 1.0])
        return jnp.sum(self.size * self.cell.readout(as_scalar(mz)[..., None] * up), axis=-1)

    def current(self, density: Numbers) -> Array:
        """The current (A) that gives a `density` (A/m^2) in the heavy metal."""
        torque = self.cell[SpinOrbitTorque]
        return as_scalar(density) * torque.width * torque.thickness

    def __str__(self) -> str:
        """The number of cells, medians and ranges, then the median cell."""
        lines = [
            f"Grains: {self.number} cells, {int(jnp.sum(self.fixed))} of them fixed, coupling {with_unit(self.coupling, 'T')}"
        ]
        for name, values, unit in (
            ("Bk", self.Bk, "T"),
            ("volume", self.volume, ""),
            ("B_x of the bias", self.bias[:, 0], "T"),
        ):
            low, middle, high = (with_unit(v, unit) for v in np.quantile(np.asarray(values), [0.05, 0.5, 0.95]))
            lines.append(f"  {name}: median {middle}, 90 % of cells from {low} to {high}")
        return "\n".join(lines) + "\n" + describe(self.cell, "  ")


def disc(diameter: float, pitch: float) -> Int[np.ndarray, "cells 4"]:
    """Neighbours (-1: none) of the points of a square lattice within a disc, one of them at its centre.

    Raises `ValueError` where `diameter` or `pitch` is not positive.
    """
    if not (diameter > 0 and pitch > 0):
        raise ValueError(f"`diameter` and `pitch` must be positive, but are {diameter} and {pitch} m.")
    reach = int(diameter / 2 / pitch)
    places = np.stack(np.meshgrid(*2 * [np.arange(-reach, reach + 1)]), -1).reshape(-1, 2)
    places = places[np.hypot(*places.T) * pitch <= diameter / 2 * (1 + 1e-9)]
    index = {tuple(place): i for i, place in enumerate(places)}
    steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
    return np.array([[index.get((x + dx, y + dy), -1) for dx, dy in steps] for x, y in places])
