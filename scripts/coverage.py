"""How often do the intervals of a fit hold the truth?  python scripts/coverage.py [--repeats 50] [--joint] [--law]

Repeats an experiment with other random counts, fits each one from a wrong first guess, and counts. The rates should agree with
their levels within the binomial error that is printed beside them. Without options the experiment of `mtjax demo` (two
quantities, two widths, 20 settings); `--joint`: four quantities over three widths and two fields, 30 settings; `--law`: the
demonstration by the closed form of thermal activation.
"""

import argparse
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import mtjax as mtj
from mtjax.cli import demo
from mtjax.devices import by_names
from mtjax.fitting.counts.linearised import linearised
from mtjax.fitting.counts.model import Settings, compose
from mtjax.switching import ThermalActivation

jax.config.update("jax_enable_x64", True)  # noqa: FBT003
FACTORS = {"Bk": 1.2, "alpha": 0.8, "polarisation": 1.25, "Ms": 0.85}


class Demo:
    """Two quantities of the demonstration."""

    names = ("Bk", "polarisation")
    start, method, relax = demo.first_guess(), None, None

    def truth(self):
        return np.array([float(x) for x in demo.parameters(demo.truth())])

    def counts(self, seed):
        return demo.experiment(seed=seed)


class Law(Demo):
    """The same by the closed form, with longer pulses at lower currents, where it holds."""

    method, relax = ThermalActivation(), 0.0

    def counts(self, seed):
        currents = np.linspace(0.45, 0.75, 15) * float(demo.truth().critical_current)
        return demo.measured(demo.truth(), currents, 100e-9, trials=200, seed=seed, method=self.method)


class Joint:
    """Four quantities over three widths and two fields along the axis, 30 settings of 400 trials."""

    names = tuple(FACTORS)
    method, relax = None, None

    def __init__(self):
        base = mtj.presets.perpendicular_stt(delta=40.0)
        self.device = eqx.tree_at(lambda d: d.terms, base, (*base.terms, mtj.AppliedField((0.0, 0.0, 1e-3))))
        parameters = by_names(self.device, self.names)
        leaves = jax.tree.leaves(self.device)
        self.start = mtj.devices.replaced(
            self.device,
            [p.leaf for p in parameters],
            [leaves[p.leaf] * f for p, f in zip(parameters, FACTORS.values(), strict=True)],
        )
        self.true = np.array([float(leaves[p.leaf]) for p in parameters])
        steps = (np.linspace(1.6, 3.4, 10), np.linspace(1.0, 1.9, 10), np.linspace(0.75, 1.4, 10))
        self.currents = np.concatenate(steps) * float(self.device.critical_current)
        self.widths = np.repeat([4e-9, 10e-9, 30e-9], 10)
        self.fields = np.tile([-0.03, 0.03], 15)
        self.p = self._probabilities(parameters)

    def _probabilities(self, parameters):
        method = mtj.FokkerPlanck(relative=False, tolerance=1e-8)
        situation = eqx.tree_at(lambda d: d[mtj.AppliedField].B, self.device, jnp.array([0.0, 0.0, 0.03]))
        method = method.planned(situation, mtj.Pulse(self.currents[9], 4e-9))
        model = compose(
            self.device, parameters, (), (), lapse=None, bounds=None, priors=None, method=method, relax=None, of_voltage=False
        )
        rows = Settings(self.currents, self.widths, np.zeros(30, int), self.fields)
        return np.clip(np.asarray(linearised(model, model.space.at(self.true), rows).p), 0, 1)

    def truth(self):
        return self.true

    def counts(self, seed):
        switched = np.random.default_rng(seed).binomial(400, self.p)
        return mtj.SwitchingData(current=self.currents, width=self.widths, switched=switched, trials=400, field=self.fields)


def study(repeats, case):
    """Fits of `repeats` experiments, and how long each took."""
    fits, seconds = [], []
    method = case.method
    for seed in range(repeats):
        data, begin = case.counts(seed), time.perf_counter()
        fits.append(mtj.fit(case.start, data, where=case.names, method=method, relax=case.relax))
        seconds.append(time.perf_counter() - begin)
        method = fits[0].method
        print(f"{seed + 1}/{repeats}: {seconds[-1]:.1f} s", end="\r", flush=True)
    return fits, np.array(seconds)


def report(fits, seconds, truth):
    """Coverage per level and quantity, the mean deviance, and the time."""
    print(f"{len(fits)} repeats; quantities: {', '.join(fits[0].estimates.names)}; {fits[0].kind}")
    off = np.array([(f.estimates.value - truth) / f.estimates.stderr for f in fits])
    print(f"largest relative standard error: {np.max(fits[0].estimates.stderr / truth):.3f}")
    print(f"first repeat: off by {off[0].round(2)} standard errors")
    print(f"all repeats: off by {off.mean(0).round(2)} on average, spread {off.std(0).round(2)}")
    for level in (0.68, 0.95):
        intervals = np.array([f.estimates.interval(level) for f in fits])
        inside = (intervals[..., 0] < truth) & (truth < intervals[..., 1])
        error = np.sqrt(level * (1 - level) / len(fits))
        print(f"{level:.0%} intervals hold the truth in {inside.mean(0).round(3)} (+- {error:.3f} each)")
    print(f"mean deviance {np.mean([f.deviance for f in fits]):.1f} on {fits[0].dof} degrees of freedom")
    print(f"warned: {sum(bool(f.warnings) for f in fits)} of {len(fits)}")
    print(f"first fit, with compilation {seconds[0]:.1f} s; later ones {np.median(seconds[1:]):.1f} s (median)")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--joint", action="store_true", help="four quantities over three widths and two fields")
    parser.add_argument("--law", action="store_true", help="the closed form in place of Fokker-Planck")
    arguments = parser.parse_args()
    case = Joint() if arguments.joint else Law() if arguments.law else Demo()
    report(*study(arguments.repeats, case), case.truth())


if __name__ == "__main__":
    main()
