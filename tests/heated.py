"""The single cell of the independent sketch ../shared/reference/heated_cell.py, as a device."""

import numpy as np

import mtjax as mtj
from mtjax.constants import KB, SPIN_FIELD

MS, BK, DELTA, THICKNESS, NOMINAL = 7e5, 0.30, 45.0, 1.5e-9, 1e-3
"""A positive current of NOMINAL (A) makes 60 mT and a steady rise of 150 K, and switches from up to down."""


def heated_cell(rise=150.0, cooling=9e-9, drive=0.060, bias=(0.03, 0.0, 0.0), start=(0.0, 0.0, 1.0), **other):
    """`rise` (K) and `drive` (T) at NOMINAL current; `cooling` time in s; `bias` in T."""
    volume = 2 * DELTA * KB * 300.0 / (BK * MS)
    diameter = np.sqrt(4 / np.pi * volume / THICKNESS)
    law = mtj.BlochLaw(Tc=650.0, exponent=1.5, anisotropy_exponent=1.2)
    layer = mtj.FreeLayer(mtj.EllipticCylinder(diameter, diameter, THICKNESS), Ms=MS, alpha=0.05, saturation=law)
    width, metal = 200e-9, 5e-9
    theta = drive * MS * THICKNESS * width * metal / (SPIN_FIELD * NOMINAL)
    torque = mtj.SpinOrbitTorque(theta_sh=theta, width=width, thickness=metal, sigma=(0.0, -1.0, 0.0))
    terms = (mtj.UniaxialAnisotropy(BK), mtj.ExchangeBias(bias), torque)
    heating = mtj.JouleHeating(resistance=rise / (NOMINAL**2 * 1e3), time=cooling)
    return mtj.Device(layer, terms, start=start, write_resistance=1e3, heating=heating, **other)
