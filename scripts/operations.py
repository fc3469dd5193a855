"""What one step of a trajectory is made of: operations of each part, counted in the program before XLA sees it.

    python scripts/operations.py

Counted are elementary operations on numbers of one trajectory (an inverse error function, a square root or a sine is one of
them, and listed apart), after common subexpressions were joined. With the measured steps per second of `benchmark.py` they say
how many operations a second the processor does, and which part is worth shortening.
"""

from collections import Counter

import jax
import jax.extend.core
import jax.numpy as jnp

import mtjax as mtj
from mtjax.dynamics import StepPath, gaussian, make_grid, prepare, three_point, threefry
from mtjax.dynamics.solvers import cayley, merson

FREE = {"broadcast_in_dim", "convert_element_type", "reshape", "squeeze", "slice", "copy", "pjit", "stop_gradient", "jit"}
DEAR = {"erf_inv", "rsqrt", "sqrt", "div", "exp", "log", "pow", "sin", "cos", "tanh"}


def counted(function, *arguments) -> Counter:
    """Elementary operations that depend on the arguments (what does not is worked out once for all trajectories), by name."""
    found: Counter = Counter()

    def walk(jaxpr, varying: set) -> list[bool]:
        seen: dict = {}
        for equation in jaxpr.eqns:
            own = [v for v in equation.invars if isinstance(v, jax.extend.core.Var) and v in varying]
            inner = next((p for p in equation.params.values() if hasattr(p, "jaxpr")), None)
            if inner is not None:
                body = inner.jaxpr
                outer = zip(body.invars, equation.invars, strict=True)
                reached = walk(body, {a for a, b in outer if isinstance(b, jax.extend.core.Var) and b in varying})
                varying.update(v for v, depends in zip(equation.outvars, reached, strict=True) if depends)
            elif own:
                varying.update(equation.outvars)
                key = (equation.primitive.name, str(equation.params), tuple(map(str, equation.invars)))
                if equation.primitive.name not in FREE and key not in seen:
                    found[equation.primitive.name] += 1
                seen[key] = True
        return [isinstance(v, jax.extend.core.Var) and v in varying for v in jaxpr.outvars]

    jaxpr = jax.make_jaxpr(function)(*arguments).jaxpr
    walk(jaxpr, set(jaxpr.invars))
    return found


def row(name: str, found: Counter) -> None:
    """One printed line."""
    dear = ", ".join(f"{n} {kind}" for kind, n in sorted(found.items()) if kind in DEAR)
    print(f"{name:44s} {sum(found.values()):5d}   {dear}")


def main() -> None:
    """Count and print."""
    device, pulse = mtj.presets.perpendicular_sot(), mtj.Pulse(1e-4, 3e-9)
    grid = make_grid(device, pulse, 5e-9, 10e-12, 1, mtj.SplitStep())
    dynamics = prepare(device, pulse, grid.dt)
    m, step = mtj.Vector(*jnp.asarray([0.1, 0.2, 0.97], jnp.float32)), jnp.float32(7)
    word = jnp.uint32(1)
    sample, key = jnp.uint32(3), jax.random.key(0)

    def noise(sample, normal=gaussian):
        return mtj.Vector(*map(normal, StepPath(key, sample).bits(step)))

    print(f"{'part':44s} operations, and the dear ones among them")
    row("hash of 64 bits (Threefry, 20 rounds)", counted(lambda x: threefry(word, word, word, x), word))
    row("one normal number from its bits", counted(gaussian, word))
    row("one three-point number from its bits", counted(three_point, word))
    row("noise of a step, three normal numbers", counted(lambda s: noise(s).array(), sample))
    row("noise of a step, three-point", counted(lambda s: noise(s, three_point).array(), sample))
    row("random rotation", counted(cayley, m, m))
    row("one evaluation of the drift", counted(lambda m: dynamics.rate(m, dynamics.drive(step)), m))
    now = dynamics.at(step)
    row("Merson step of the drift", counted(lambda m: merson(lambda m: dynamics.rate(m, now.drive), m, dynamics.angle()), m))
    for name, solver in {"SplitStep": mtj.SplitStep(), "Heun": mtj.Heun()}.items():

        def whole(m, sample, solver=solver):
            return solver.advance(dynamics, step, m, noise(sample))

        row(f"a whole step of {name}", counted(whole, m, sample))


if __name__ == "__main__":
    main()
