"""mtjax: a differentiable simulator of spintronic devices in JAX."""

from importlib.metadata import version

from mtjax import presets as presets
from mtjax.device import Device as Device
from mtjax.fields import (
    AbstractEnergy as AbstractEnergy,
    AbstractTerm as AbstractTerm,
    AppliedField as AppliedField,
    Demagnetisation as Demagnetisation,
    ExchangeBias as ExchangeBias,
    SecondOrderAnisotropy as SecondOrderAnisotropy,
    UniaxialAnisotropy as UniaxialAnisotropy,
    VCMA as VCMA,
)
from mtjax.layer import Drive as Drive, FreeLayer as FreeLayer
from mtjax.pulses import (
    AbstractPulse as AbstractPulse,
    PiecewiseLinear as PiecewiseLinear,
    Pulse as Pulse,
    Sine as Sine,
    Train as Train,
)
from mtjax.resistance import AnomalousHall as AnomalousHall, TunnelMagnetoresistance as TunnelMagnetoresistance
from mtjax.shapes import EllipticCylinder as EllipticCylinder, Ellipsoid as Ellipsoid, Prism as Prism
from mtjax.simulate import first_passage as first_passage, simulate as simulate
from mtjax.solvers import Adaptive as Adaptive, Heun as Heun, SplitStep as SplitStep
from mtjax.torques import SpinOrbitTorque as SpinOrbitTorque, SpinTransferTorque as SpinTransferTorque
from mtjax.types import Vector as Vector

__version__ = version("mtjax")
