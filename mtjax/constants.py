"""Physical constants (CODATA 2018, SI) and the working units: nanoseconds and tesla.

>>> import mtjax as mtj
>>> print(f"{mtj.constants.GAMMA_NS / mtj.constants.TAU:.1f} GHz/T; kB T at 300 K is {mtj.constants.KB * 300.0 * 1e21:.2f} zJ")
28.0 GHz/T; kB T at 300 K is 4.14 zJ
"""

import math

GAMMA = 1.76085963023e11
"""Gyromagnetic ratio of the electron, rad / (s T)."""
HBAR = 1.054571817e-34
"""Reduced Planck constant, J s."""
KB = 1.380649e-23
"""Boltzmann constant, J / K."""
CHARGE = 1.602176634e-19
"""Elementary charge, C."""
MU0 = 1.25663706212e-6
"""Vacuum permeability, T m / A."""
NS = 1e-9
"""One nanosecond in seconds: times inside the solvers are counted in it."""
GAMMA_NS = GAMMA * NS
"""Gyromagnetic ratio in working units, rad / (ns T)."""
SPIN_FIELD = HBAR / (2 * CHARGE)
"""hbar / 2e, V s: field times magnetisation times thickness per current density of spins."""
TAU = 2 * math.pi
"""One turn, rad."""
