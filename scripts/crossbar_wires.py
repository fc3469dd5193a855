"""Holds crossbars with wires against badcrossbar: 10 kOhm to 1 MOhm, lines of 1 Ohm a cell, alike, unlike, and ideal.

    pip install badcrossbar  # its warning about cairo is of its pictures
    python scripts/crossbar_wires.py [--sizes 5x4 64x64 128x128]

Prints the largest relative difference of any conductance, the seconds of both, and four numbers that
`tests/outside/test_badcrossbar.py` keeps: the sum of badcrossbar's conductances, and those from the first input to the first
output, from the first to the last, and from the last to the last.
"""

import argparse
import logging
import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj

LINES = ((1.0, 1.0), (1.0, 2.5), (1.0, 0.0), (0.0, 1.0))
"""Resistances of word and bit lines from cell to cell, ohm."""


def resistances(words: int, bits: int) -> np.ndarray:
    """Devices between 10 kOhm and 1 MOhm, evenly spread in the logarithm, in no order; shape (words, bits)."""
    places = np.arange(1, words * bits + 1) * (np.sqrt(5) - 1) / 2
    return 1e4 * 100 ** (places % 1).reshape(words, bits)


def theirs(R: np.ndarray, word: float, bit: float) -> np.ndarray:
    """Conductances by badcrossbar, shape (words, bits), S."""
    with warnings.catch_warnings(action="ignore"):
        import badcrossbar
    logging.disable(logging.INFO)
    options = {"node_voltages": False, "all_currents": False}
    solution = badcrossbar.compute(np.eye(len(R)), R, r_i_word_line=word, r_i_bit_line=bit, **options)
    return np.asarray(solution.currents.output)


def timed(function, *args):
    """What `function` returns, and the seconds that it took."""
    began = time.perf_counter()
    found = function(*args)
    return found, time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["5x4", "64x64", "128x128"], help="words x bits")
    for size in parser.parse_args().sizes:
        R = resistances(*map(int, size.split("x")))
        G = jnp.asarray(1 / R.T)

        def ours(word, bit, G=G):
            return np.asarray(mtj.nn.through_wires(G, word, bit)).T

        ours(3.0, 3.0)  # compiles
        for word, bit in LINES:
            mine, seconds = timed(ours, word, bit)
            other, waited = timed(theirs, R, word, bit)
            off = np.max(np.abs(mine / other - 1))
            kept = ", ".join(f"{x:.12e}" for x in (other.sum(), other[0, 0], other[0, -1], other[-1, -1]))
            print(
                f"{size}, {word} and {bit} ohm: {off:.1e} off; {seconds:.2f} s, badcrossbar {waited:.2f} s; {kept}", flush=True
            )


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    main()
