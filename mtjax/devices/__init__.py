"""What a device is: a free layer, the energies and torques that act on it, heating, read-out, films of many grains."""

from mtjax.devices.couplings import (
    AbstractCoupling,
    AbstractCouplingEnergy,
    DipolarCoupling,
    InterlayerDMI,
    InterlayerExchange,
    MutualSpinTransfer,
)
from mtjax.devices.device import Device, figures
from mtjax.devices.energies import (
    VCMA,
    AbstractEnergy,
    AbstractTerm,
    AppliedField,
    Demagnetisation,
    ExchangeBias,
    SecondOrderAnisotropy,
    UniaxialAnisotropy,
    total_energy,
    total_field,
)
from mtjax.devices.grains import Grains, Spread
from mtjax.devices.heating import JouleHeating, ThermalHistory, film_on_oxide, metal_on_oxide
from mtjax.devices.layer import Drive, FreeLayer, Magnet
from mtjax.devices.minima import JointMinimum, downhill_from, lowest_near, moved, tangents
from mtjax.devices.parameters import Parameter, all_parameters, by_names, by_where, leaf_called, replaced, values
from mtjax.devices.readout import AbstractResistance, AnomalousHall, HallBar, TunnelMagnetoresistance
from mtjax.devices.saturation import AbstractSaturation, BlochLaw
from mtjax.devices.shapes import AbstractShape, Ellipsoid, EllipticCylinder, Prism
from mtjax.devices.stack import Stack
from mtjax.devices.stored import read_device, source_in, write_device
from mtjax.devices.torques import AbstractTorque, SpinOrbitTorque, SpinTransferTorque
from mtjax.devices.wells import downhill, expanded

__all__ = [
    "AbstractCoupling",
    "AbstractCouplingEnergy",
    "AbstractEnergy",
    "AbstractResistance",
    "AbstractSaturation",
    "AbstractShape",
    "AbstractTerm",
    "AbstractTorque",
    "AnomalousHall",
    "AppliedField",
    "BlochLaw",
    "Demagnetisation",
    "Device",
    "DipolarCoupling",
    "Drive",
    "Ellipsoid",
    "EllipticCylinder",
    "ExchangeBias",
    "FreeLayer",
    "Grains",
    "HallBar",
    "InterlayerDMI",
    "InterlayerExchange",
    "JointMinimum",
    "JouleHeating",
    "Magnet",
    "MutualSpinTransfer",
    "Parameter",
    "Prism",
    "SecondOrderAnisotropy",
    "SpinOrbitTorque",
    "SpinTransferTorque",
    "Spread",
    "Stack",
    "ThermalHistory",
    "TunnelMagnetoresistance",
    "UniaxialAnisotropy",
    "VCMA",
    "all_parameters",
    "by_names",
    "by_where",
    "downhill",
    "downhill_from",
    "expanded",
    "figures",
    "film_on_oxide",
    "leaf_called",
    "lowest_near",
    "metal_on_oxide",
    "moved",
    "read_device",
    "replaced",
    "source_in",
    "tangents",
    "total_energy",
    "total_field",
    "values",
    "write_device",
]
