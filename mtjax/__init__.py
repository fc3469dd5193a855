"""mtjax: a differentiable simulator of spintronic devices in JAX."""

from importlib.metadata import version

from mtjax import nn as nn
from mtjax import presets as presets
from mtjax.cpu import configure_cpu as configure_cpu
from mtjax.data import SwitchingData as SwitchingData
from mtjax.device import Device as Device
from mtjax.distributed import start_processes as start_processes
from mtjax.fields import (
    VCMA as VCMA,
)
from mtjax.fields import (
    AbstractEnergy as AbstractEnergy,
)
from mtjax.fields import (
    AbstractTerm as AbstractTerm,
)
from mtjax.fields import (
    AppliedField as AppliedField,
)
from mtjax.fields import (
    Demagnetisation as Demagnetisation,
)
from mtjax.fields import (
    ExchangeBias as ExchangeBias,
)
from mtjax.fields import (
    SecondOrderAnisotropy as SecondOrderAnisotropy,
)
from mtjax.fields import (
    UniaxialAnisotropy as UniaxialAnisotropy,
)
from mtjax.film import GrainTrajectories as GrainTrajectories
from mtjax.film import simulate_grains as simulate_grains
from mtjax.fitting import Fit as Fit
from mtjax.fitting import fit as fit
from mtjax.fokker_planck import FokkerPlanck as FokkerPlanck
from mtjax.grains import Grains as Grains
from mtjax.grains import Spread as Spread
from mtjax.hazard import HazardLaw as HazardLaw
from mtjax.hazard import mean_mz as mean_mz
from mtjax.heating import JouleHeating as JouleHeating
from mtjax.heating import ThermalHistory as ThermalHistory
from mtjax.heating import film_on_oxide as film_on_oxide
from mtjax.lapses import BackHopping as BackHopping
from mtjax.lapses import Misread as Misread
from mtjax.layer import Drive as Drive
from mtjax.layer import FreeLayer as FreeLayer
from mtjax.methods import Probability as Probability
from mtjax.monte_carlo import MonteCarlo as MonteCarlo
from mtjax.monte_carlo import score_gradient as score_gradient
from mtjax.noise import gaussian as gaussian
from mtjax.noise import three_point as three_point
from mtjax.priors import LogNormal as LogNormal
from mtjax.priors import Normal as Normal
from mtjax.protocols import Steps as Steps
from mtjax.protocols import loop as loop
from mtjax.protocols import opposite_pair as opposite_pair
from mtjax.protocols import pair as pair
from mtjax.pulses import (
    AbstractPulse as AbstractPulse,
)
from mtjax.pulses import (
    PiecewiseLinear as PiecewiseLinear,
)
from mtjax.pulses import (
    Pulse as Pulse,
)
from mtjax.pulses import (
    Sine as Sine,
)
from mtjax.pulses import (
    Train as Train,
)
from mtjax.readout import (
    dwell_times as dwell_times,
)
from mtjax.readout import (
    resistance as resistance,
)
from mtjax.readout import (
    switched_fraction as switched_fraction,
)
from mtjax.readout import (
    write_energy as write_energy,
)
from mtjax.resistance import AnomalousHall as AnomalousHall
from mtjax.resistance import TunnelMagnetoresistance as TunnelMagnetoresistance
from mtjax.saturation import AbstractSaturation as AbstractSaturation
from mtjax.saturation import BlochLaw as BlochLaw
from mtjax.shapes import Ellipsoid as Ellipsoid
from mtjax.shapes import EllipticCylinder as EllipticCylinder
from mtjax.shapes import Prism as Prism
from mtjax.simulate import first_passage as first_passage
from mtjax.simulate import simulate as simulate
from mtjax.solvers import Adaptive as Adaptive
from mtjax.solvers import Heun as Heun
from mtjax.solvers import SplitStep as SplitStep
from mtjax.switching import switching_probability as switching_probability
from mtjax.torques import SpinOrbitTorque as SpinOrbitTorque
from mtjax.torques import SpinTransferTorque as SpinTransferTorque
from mtjax.types import Vector as Vector

__version__ = version("mtjax")
