"""Integrate and fire, leak, reset, analog loops and spike-timing-dependent plasticity of one device at different sizes.

    python scripts/heat_and_grains.py [check integrate leak neuron analog stdp law fit speed] [--samples 4000] [--out docs]

Full thermal dynamics (no law for neurons or synapses anywhere); prints tables with standard errors and draws one picture
for every name. `check` holds the results of one cell against those of an independent program; `law` the fast law against
`integrate` and `stdp`; `fit` finds cooling time and drive from `integrate`, and holds gradients against differences;
`speed` times 1,000 cells under 100 ns of pulses. With `--data FOLDER` results are kept there and used again.
The single cell has the values of the cross-check in `tests/heated.py`; grains are those of `mtjax.presets.kurenkov2019`.
"""

import argparse
import json
from pathlib import Path

import mtjax as mtj

mtj.configure_cpu(fused=True)

from heat import fitted, law, neuron, synapse  # noqa: E402

MEASURE = {
    "check": lambda _, read: neuron.check(read),
    "integrate": lambda samples, _: neuron.integrate(samples),
    "leak": lambda samples, _: neuron.leak(samples),
    "neuron": lambda samples, _: neuron.neuron(samples),
    "analog": lambda samples, _: synapse.analog(samples),
    "stdp": lambda samples, _: synapse.stdp(samples),
    "law": law.law,
    "fit": fitted.fit,
    "speed": lambda samples, _: synapse.speed(),
}
DRAW = {
    "integrate": neuron.draw_integrate,
    "leak": neuron.draw_leak,
    "neuron": neuron.draw_neuron,
    "analog": synapse.draw_analog,
    "stdp": synapse.draw_stdp,
    "law": law.draw_law,
    "fit": fitted.draw_fit,
}


def results(args):
    """A function that gives the result of a name: kept from before, or measured now."""
    known = {}

    def read(name):
        kept = args.data and args.data / f"{name}.json"
        if name not in known and kept and kept.is_file():
            known[name] = json.loads(kept.read_text())
        if name not in known:
            known[name] = json.loads(json.dumps(MEASURE[name](args.samples, read)))
            if kept:
                kept.write_text(json.dumps(known[name]))
        return known[name]

    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(MEASURE), help=f"among {', '.join(MEASURE)}")
    parser.add_argument("--samples", type=int, default=4000, help="trajectories per point of the single cell")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the pictures")
    parser.add_argument("--data", type=Path, default=None, help="folder of results: kept, and drawn again if there")
    args = parser.parse_args()
    strangers = set(args.names) - set(MEASURE)
    if strangers:
        parser.error(f"the names must be among {', '.join(MEASURE)}, but there is {', '.join(sorted(strangers))}")
    args.out.mkdir(parents=True, exist_ok=True)
    read = results(args)
    for name in args.names:
        result = read(name)
        if name in DRAW:
            DRAW[name](result, args.out / f"heat_{name}.png")


if __name__ == "__main__":
    main()
