"""`mtjax simulate`: the switching probability of a device under a pulse."""

from __future__ import annotations

from typing import Annotated

import jax
import tyro

from mtjax.cli_options import Settings, device_named
from mtjax.monte_carlo import MonteCarlo
from mtjax.pulses import Pulse
from mtjax.switching import switching_probability
from mtjax.types import as_scalar


def simulate_command(
    device: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DEVICE", help="One of the presets.")],
    /,
    *,
    current: Annotated[float, tyro.conf.arg(help="Amplitude of the pulse, A.")],
    width: Annotated[float, tyro.conf.arg(help="Width of the pulse, s.")],
    set_: Settings = (),
    samples: Annotated[int, tyro.conf.arg(help="Number of trajectories.")] = 4096,
    seed: Annotated[int, tyro.conf.arg(help="Of the random numbers.")] = 0,
) -> None:
    """Switching probability of a device under one rectangular pulse, by Monte Carlo."""
    model = device_named(device, set_)
    method = MonteCarlo(samples=samples, key=jax.random.key(seed))
    print(switching_probability(model, Pulse(as_scalar(current), as_scalar(width)), method=method))
