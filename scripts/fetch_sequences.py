"""Fetch sequences from a package registry, check their hash, write japanese_vowels.npz and basic_motions.npz.

    python scripts/fetch_sequences.py [--out FOLDER]

Both lie in the wheel aeon 1.6.0 on PyPI, taken by `pip download --no-deps` and not installed: JapaneseVowels (9 speakers say
/ae/; 270 and 370 sequences of 7 to 29 frames of 12 cepstral coefficients; Kudo, Toyama and Shimbo, 1999) and BasicMotions (4
kinds of movement, 40 and 40 sequences of 100 frames of 6 channels). Row-by-row and permuted MNIST are made of what
`scripts/fetch_images.py` fetches: `mtj.nn.Sequences.rows`.
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from fetch_images import checked, run

WHEEL = "d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409"
NAMES = {"japanese_vowels": "JapaneseVowels", "basic_motions": "BasicMotions"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("."))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        fetch(args.out)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(f"could not be fetched: {error}", file=sys.stderr)
        return 1
    return 0


def fetch(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "aeon==1.6.0", "-d", folder)
        path = next(Path(folder).glob("aeon*.whl"))
        checked(path, WHEEL)
        with zipfile.ZipFile(path) as wheel:
            for name, there in NAMES.items():
                arrays, classes = {}, None
                for part in ("train", "test"):
                    text = wheel.read(f"aeon/datasets/data/{there}/{there}_{part.upper()}.ts").decode()
                    sequences, words = read_ts(text)
                    classes = sorted(set(words)) if classes is None else classes
                    lengths = np.array([len(x) for x in sequences])
                    values = np.zeros((len(sequences), max(lengths), sequences[0].shape[1]), np.float32)
                    for row, x in zip(values, sequences, strict=True):
                        row[: len(x)] = x
                    labels = np.array([classes.index(word) for word in words])
                    arrays |= {f"values_{part}": values, f"lengths_{part}": lengths, f"labels_{part}": labels}
                np.savez_compressed(out / f"{name}.npz", **arrays)
                print(f"written: {out / name}.npz, {len(arrays['labels_train'])} + {len(arrays['labels_test'])} sequences")


def read_ts(text: str) -> tuple[list[np.ndarray], list[str]]:
    """Sequences of shape (frames, channels) and the words of their classes; colons part channels, commas frames."""
    rows = text[text.lower().index("@data") + 5 :].split("\n")
    sequences, words = [], []
    for row in filter(None, (row.strip() for row in rows)):
        *channels, word = row.split(":")
        sequences.append(np.array([[float(x) for x in channel.split(",")] for channel in channels]).T)
        words.append(word)
    return sequences, words


if __name__ == "__main__":
    sys.exit(main())
