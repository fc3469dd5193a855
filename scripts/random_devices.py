"""Random devices and pulses: the default path of `switching_probability` against an independent sampler, with CPU seconds.

    python scripts/random_devices.py 0 20      # seeds 0 to 19; needs ../shared/reference/random_devices

Cold is the first answer in this process, warm the second; 60 s of the first count as a time-out.
"""

import argparse
import os
import sys
import time
import types
from pathlib import Path

os.environ.setdefault("JAX_ENABLE_X64", "1")
REFERENCE = Path(__file__).parents[2] / "shared" / "reference" / "random_devices"


def worker() -> dict:
    """What the fuzz's worker defines; it takes `settling_time` from where it once was."""
    import mtjax as mtj

    sys.path.insert(0, str(REFERENCE))
    settling = types.ModuleType("mtjax.settling")
    settling.settling_time = mtj.settling_time  # type: ignore[attr-defined]
    sys.modules["mtjax.settling"] = settling
    source = (REFERENCE / "worker.py").read_text().rstrip().removesuffix("main()")
    names = {"__file__": str(REFERENCE / "worker.py"), "__name__": "worker"}
    exec(compile(source, "worker.py", "exec"), names)
    return names


def main() -> None:
    """Ask, compare and print, one line for a seed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("first", type=int)
    options.add_argument("last", type=int)
    options.add_argument("--samples", type=int, default=20_000, help="of the independent sampler; 0 leaves it out")
    args = options.parse_args()
    import numpy as np

    import mtjax as mtj

    names, cold, warm, scores, refused = worker(), [], [], [], []
    for seed in range(args.first, args.last):
        case, device, waveform, relax, _ = names["prepare"](seed)
        if waveform is None:
            print(seed, case["kind"], "left out by the fuzz")
            continue
        pulse = names["build"].pulse(waveform)
        try:
            seconds = []
            for _ in range(2):
                begin = time.process_time()
                found = mtj.switching_probability(device, pulse)
                value, error = float(found.value), float(found.error)
                seconds.append(time.process_time() - begin)
        except (ValueError, RuntimeError) as why:
            refused.append(seed)
            print(seed, case["kind"], "refused:", str(why).splitlines()[0], flush=True)
            continue
        cold.append(seconds[0])
        warm.append(seconds[1])
        other = names["ref"].psw(case, waveform, relax, args.samples, seed + 1000)[0] if args.samples else None
        z = (
            np.nan
            if other is None
            else (value - other) / np.hypot(error, (max(other * (1 - other), 1e-4) / args.samples) ** 0.5)
        )
        scores.append(abs(z))
        what = f"{seed} {case['kind']} {case['form']} alpha {case['al']:.3f}"
        took = f"cold {seconds[0]:.1f} s, warm {seconds[1]:.2f} s"
        print(f"{what} P {value:.4f} +- {error:.1g}, other {other}, z {z:+.2f}, {found.method.name}, {took}", flush=True)
    if cold:
        late, median, most = sum(s > 60 for s in cold), np.median(warm), np.quantile(warm, 0.95)
        print(f"answered {len(cold)}, refused {refused}, over 60 s: {late}; largest |z| {np.nanmax(scores):.2f}")
        print(f"warm: median {median:.2f} s, 95 % below {most:.2f} s; cold: median {np.median(cold):.1f} s")


if __name__ == "__main__":
    main()
