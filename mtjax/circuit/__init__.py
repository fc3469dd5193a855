"""Devices in circuits: a junction as a subcircuit of ngspice and as a module of Verilog-A, its thermal noise included."""

from mtjax.circuit.text import export

__all__ = ["export"]
