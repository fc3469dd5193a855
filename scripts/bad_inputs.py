"""What does mtjax say to bad input?  python scripts/bad_inputs.py [--only constructors verbs] [--all]

Runs every bad input of bad_inputs.txt (constructors, verbs, networks, command lines, files) in a process of its own that is
killed where it has not answered after 20 s, and prints how it ended: with one clear sentence, as a ValueError of mtjax (or
what the system says of a file) or as exit code 1 or 2 of the command line; with a foreign traceback; accepted silently; or
without an answer. Every one should end with one clear sentence: the script fails otherwise. A few minutes.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import pickle
import re
import resource
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
LIMIT = 20.0
"""Seconds that an input may take."""
CLEAR, FOREIGN, SILENT, NO_ANSWER = "one clear sentence", "foreign traceback", "accepted silently", "no answer in time"
SHORTHANDS = {
    "NUMBER": ("nan", "inf", '"abc"', "[1.0, 2.0]", "1j", "None"),
    "COUNT": ("0", "-1", "2.5", "nan", '"abc"', "None", "[1, 2]"),
}
_LONGEST = 600
"""Characters of a sentence."""


class Case(NamedTuple):
    """One bad input: what kind it is of, and the expression or command line."""

    kind: str
    text: str


class Ending(NamedTuple):
    """How it ended, and what was said."""

    how: str
    said: str


def cases(text: str) -> list[Case]:
    """The bad inputs of a text like bad_inputs.txt."""
    kind, found = "", []
    for line in text.splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            template, _, values = line.partition("|")
            template = template.strip()
            for value in [v.strip() for v in re.split(r" ;(?: |$)", values)]:
                found += [Case(kind, template.replace("?", one, 1)) for one in SHORTHANDS.get(value, (value,))]
    return found


def mistakes(found: list[tuple[Case, Ending]]) -> list[tuple[Case, Ending]]:
    """Those that did not end with one clear sentence."""
    return [(case, ending) for case, ending in found if ending.how != CLEAR]


def run(chosen: list[Case], limit: float = LIMIT) -> list[tuple[Case, Ending]]:
    """Every case with its ending, in processes that are killed where one does not answer in time."""
    with tempfile.TemporaryDirectory() as folder:
        simple = all(case.kind == "constructors" for case in chosen)
        worker, found = Worker(Path(folder), simple=simple), []
        for case in chosen:
            ending = worker.ask(case, limit)
            found.append((case, ending))
            if ending.how == NO_ANSWER:
                worker.stop()
                worker = Worker(Path(folder), simple=simple)
        worker.stop()
    return found


class Worker:
    """A process in which mtjax is imported, and which answers one case after the other."""

    def __init__(self, folder: Path, *, simple: bool):
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, folder, simple), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()

    def ask(self, case: Case, limit: float) -> Ending:
        """The ending of a case."""
        self.pipe.send(case)
        try:
            return self.pipe.recv() if self.pipe.poll(limit) else Ending(NO_ANSWER, f"nothing within {limit:g} s")
        except EOFError:
            return Ending(NO_ANSWER, "the process died")

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()


def _serve(pipe: Any, folder: Path, simple: bool) -> None:  # noqa: FBT001
    sys.stdout = io.StringIO()
    around = simple_names(folder)
    if not simple:
        around |= names(folder, around)
    sys.stderr = io.StringIO()
    pipe.send("ready")
    while True:
        case = pipe.recv()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ending = _command(case.text, folder) if case.kind == "command lines" else _expression(case.text, around)
            pipe.send(Ending(SILENT, "what was pickled in a file was executed") if _sprung(folder) else ending)


def _expression(text: str, around: dict[str, Any]) -> Ending:
    """How an expression ends."""
    import jax

    try:
        value = eval(text, around)  # noqa: S307 - the expressions are this script's own
        jax.block_until_ready(value)
    except BaseException as error:  # noqa: BLE001
        return Ending(CLEAR if is_clear(error) else FOREIGN, f"{type(error).__name__}: {error}")
    return Ending(SILENT, repr(value)[:200])


def is_clear(error: BaseException) -> bool:
    """Whether an error is one sentence of mtjax's own, or what the system says of a file."""
    said = str(error)
    if "\n" in said or not 15 < len(said) < _LONGEST:
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return True
    last = traceback.extract_tb(error.__traceback__)[-1]
    return isinstance(error, (ValueError, KeyError)) and "/mtjax/" in last.filename and " " in said


def _command(line: str, folder: Path) -> Ending:
    """How a command line ends: what it printed on standard error, and its exit code."""
    from mtjax.cli.main import main

    _clean(folder)
    stopped, arguments = (
        line.startswith("Ctrl-C "),
        shlex.split(line.removeprefix("Ctrl-C ").replace("FOLDER", str(folder)))[1:],
    )
    out, err = io.StringIO(), io.StringIO()
    if stopped:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.alarm(2)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code: Any = main(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException as error:  # noqa: BLE001
            return Ending(FOREIGN, f"{type(error).__name__}: {error}")
    said = [text for text in err.getvalue().splitlines() if text.startswith("mtjax: ")]
    signal.alarm(0)
    if code in ((130,) if stopped else (1, 2)) and (
        len(said) == 1 and len(said[0]) < _LONGEST and "Traceback" not in err.getvalue()
    ):
        return Ending(CLEAR, said[0])
    if code == 2 and not said:  # tyro's own, in a frame
        return Ending(CLEAR, " ".join(re.sub(r"[╭─╮│╰╯]", " ", err.getvalue()).split())[:300])
    return Ending(SILENT if code == 0 else FOREIGN, f"exit code {code}: {err.getvalue()[-300:]}{out.getvalue()[-200:]}")


def _clean(folder: Path) -> None:
    """Take away what an earlier command left in folders of new names."""
    for name in ("new", "sweep"):
        shutil.rmtree(folder / name, ignore_errors=True)


def simple_names(folder: Path) -> dict[str, Any]:
    """What constructors are tried with: a device, a pulse, a key."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    import mtjax as mtj

    stt = mtj.presets.perpendicular_stt(40.0)
    return {
        "mtj": mtj, "np": np, "jnp": jnp, "jax": jax, "nan": np.nan, "inf": np.inf, "folder": folder, "stt": stt,
        "shape": stt.layer.shape, "pulse": mtj.Pulse(1e-5, 2e-9), "key": jax.random.key(0), "law": mtj.ThermalActivation(),
        "axis": mtj.Axis("current", [1e-5, 1.1e-5]),
    }  # fmt: skip


def names(folder: Path, around: dict[str, Any]) -> dict[str, Any]:
    """What the other expressions are made of: data, a fit, a network; and the files in `folder`, good and bad."""
    mtj, np, jnp, key, law, stt = (around[name] for name in ("mtj", "np", "jnp", "key", "law", "stt"))
    nn, neurons = mtj.nn, mtj.nn.sengupta2016_law()
    data = mtj.SwitchingData(current=[9e-6, 1e-5, 1.1e-5, 1.2e-5], width=1e-7, switched=[3, 16, 69, 99], trials=100)
    network, other = (nn.mlp(sizes, neurons, key=key) for sizes in ((4, 3, 2), (4, 5, 2)))
    found = {
        "nn": nn, "data": data, "sweep": mtj.Sweep(stt, (around["axis"],), law, width=1e-7),
        "fitted": mtj.fit(stt, data, where=("Bk",), method=law, relax=0.0),
        "paths": mtj.Trajectories(jnp.arange(3.0), jnp.ones((2, 3, 3)), jnp.asarray(1e-12), mtj.SplitStep()),
        "grains": mtj.presets.kurenkov2019(50e-9), "space": mtj.coordinates(["tau"], ["s"], [1.0]),
        "law_of_neurons": neurons, "network": network, "short": nn.Training(epochs=1, batch=2),
        "images": nn.Dataset(np.eye(4), np.array([0, 0, 1, 1])), "other_images": nn.Dataset(np.eye(5), np.arange(5)),
        "on_a_full_disk": on_a_full_disk,
    }  # fmt: skip
    if not (folder / "good.csv").exists():
        _tables(folder)
        _saved(folder, around | found)
        _archives(folder, around | found, other)
    return found


def _tables(folder: Path) -> None:
    """Tables, good and bad."""
    rows = "".join(f"{i}e-6,1e-7,{k},100\n" for i, k in [(9, 3), (10, 16), (11, 69), (12, 99)])
    texts = {
        "good": "current,width,switched,trials\n" + rows,
        "empty": "",
        "headings": "current,width,switched,trials\n",
        "words": "current,width,switched,trials\nmany,1e-7,3,100\n",
        "truncated": "current,width,switched,trials\n9e-6,1e-7,3,100\n1e-5,1e-",
        "many": "current,width,switched,trials\n9e-6,1e-7,300,100\n",
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "binary.csv").write_bytes(bytes(range(256)) * 8)
    (folder / "nothing").mkdir()


def _saved(folder: Path, around: dict[str, Any]) -> None:
    """Fits, sweeps and search notes: as mtjax writes them, and damaged."""
    mtj, sweep = around["mtj"], around["sweep"]
    (folder / "fit").mkdir()
    around["fitted"].save(folder / "fit" / "fit.json")
    text = (folder / "fit" / "fit.json").read_text()
    found = json.loads(text)
    texts = {
        "broken": "{", "list": "[1, 2]", "foreign": '{"format": "other"}', "truncated": text[: len(text) // 2],
        "unknown": text.replace('"ThermalActivation"', '"NoSuchMethod"'),
        "negative": text.replace(json.dumps(found["all"]["data"]["trials"]["array"])[1:6], "-100.0"),
        "lacking": json.dumps({**found, "all": {"class": "Fit"}}), "odd": '{"problem": 5, "deviance": "abc"}',
    }  # fmt: skip
    for name, content in texts.items():
        (folder / f"{name}.json").write_text(content)
    (folder / "pickle.json").write_bytes(pickle.dumps(Trap(folder)))
    for name in ("swept", "swept_truncated", "damaged", "other_sweep", "unfinished"):
        mtj.sweeps.run(sweep, folder / name)
    points = folder / "swept_truncated" / "points-1-of-1.nc"
    points.write_bytes(points.read_bytes()[:200])
    (folder / "damaged" / "sweep.json").write_text("{")
    (folder / "other_sweep" / "sweep.json").write_text((folder / "swept" / "sweep.json").read_text().replace("300.0", "310.0"))
    (folder / "unfinished" / "points-1-of-1.nc").unlink()


def _archives(folder: Path, around: dict[str, Any], other: Any) -> None:
    """Checkpoints and numpy's archives: of another network, damaged, and with pickled objects that leave a trace."""
    import numpy as np

    nn, network = around["nn"], around["network"]
    nn.train(
        other, around["images"], around["short"], key=around["key"], progress=False, checkpoint=folder / "foreign/network.ckpt"
    )
    good = folder / "good.ckpt"
    nn.train(network, around["images"], around["short"], key=around["key"], progress=False, checkpoint=good)
    content = good.read_bytes()
    (folder / "truncated.ckpt").write_bytes(content[:-200])
    start = content.index(b"\n") + 1
    (folder / "corrupted.ckpt").write_bytes(
        content[:start] + bytes(255 - b for b in content[start : start + 400]) + content[start + 400 :]
    )
    (folder / "pickled.ckpt").write_bytes(pickle.dumps(Trap(folder)))
    objects = io.BytesIO()
    np.save(objects, np.array([Trap(folder)], object), allow_pickle=True)
    (folder / "objects.ckpt").write_bytes(content[:start] + objects.getvalue())
    arrays = {
        name: np.zeros((2, 4)) if name[0] == "x" else np.array([0, 1]) for name in ("x_train", "y_train", "x_test", "y_test")
    }
    np.savez(folder / "images.npz", **arrays)
    np.savez(
        folder / "pickled.npz",
        **{**arrays, "x_train": np.array([Trap(folder)], object), "alpha": np.array([Trap(folder)], object)},
    )
    np.savez(folder / "lacking.npz", x_train=np.zeros((2, 4)))
    content = (folder / "images.npz").read_bytes()
    (folder / "truncated.npz").write_bytes(content[: len(content) // 2])
    (folder / "corrupted.npz").write_bytes(content[:60] + bytes(255 - b for b in content[60:200]) + content[200:])
    (folder / "fake.npz").write_text("x_train")


def _sprung(folder: Path) -> bool:
    """Whether a pickled object was executed; takes the trace of it away."""
    found = (folder / "executed").exists()
    (folder / "executed").unlink(missing_ok=True)
    return found


class Trap:
    """An object whose unpickling leaves a file: none of mtjax's readers may do that."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return Path.touch, (self.folder / "executed",)


def on_a_full_disk(write: Any) -> None:
    """`write()` where no file may grow beyond 100 bytes; raises `ValueError` where half a file is left."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def table(found: list[tuple[Case, Ending]]) -> str:
    """How many of every kind ended how."""
    kinds = list(dict.fromkeys(case.kind for case, _ in found))
    count = Counter((case.kind, ending.how) for case, ending in found)
    endings = (CLEAR, FOREIGN, SILENT, NO_ANSWER)
    lines = ["  ".join([f"{'':14}", *(f"{how:>18}" for how in endings)])]
    for kind in [*kinds, "all"]:
        row = [sum(n for (k, h), n in count.items() if h == how and kind in (k, "all")) for how in endings]
        lines.append("  ".join([f"{kind:14}", *(f"{n:18}" for n in row)]))
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="kinds of bad inputs; without it all")
    parser.add_argument("--match", default="", help="only inputs that hold this text")
    parser.add_argument("--all", action="store_true", help="print every sentence, not only what is no clear one")
    options = parser.parse_args()
    chosen = [c for c in cases((HERE / "bad_inputs.txt").read_text()) if not options.only or c.kind.split()[0] in options.only]
    found = run([c for c in chosen if options.match in c.text])
    wrong = mistakes(found)
    for case, ending in found if options.all else wrong:
        print(f"{ending.how}: {case.text}\n    {' '.join(ending.said.split())[:300]}")
    print(f"\n{len(found)} bad inputs\n{table(found)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
