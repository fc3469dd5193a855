"""Sequences of different lengths with labels, as padded arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtjax.files import read_arrays
from mtjax.nn.datasets import Dataset
from mtjax.printing import Shown

_NAMES = ("values_train", "lengths_train", "labels_train", "values_test", "lengths_test", "labels_test")


class Sequences(Shown):
    """Sequences with labels.

    - `values`: shape (samples, frames, channels); what lies beyond the length of a sequence counts for nothing.
    - `lengths`: frames of each, shape (samples,); `labels`: shape (samples,), whole numbers from 0.

    Raises `ValueError` where they do not belong together.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> data = mtj.nn.Sequences.of([np.zeros((7, 2)), np.ones((9, 2))], [0, 1])
    >>> print(data)
    Sequences: 2 of 7 to 9 frames of 2 channels, 2 classes
    """

    values: np.ndarray
    lengths: np.ndarray
    labels: np.ndarray

    def __check_init__(self):
        if self.values.ndim != 3 or not len(self.values) == len(self.lengths) == len(self.labels) or not len(self.values):
            raise ValueError(
                "`values` must have shape (samples, frames, channels), with one length and one label for each sample, but "
                f"they have shapes {self.values.shape}, {self.lengths.shape} and {self.labels.shape}."
            )
        if not np.all(np.isfinite(self.values)):
            raise ValueError("`values` of Sequences must be finite, but are not.")
        for name, least, most in (("lengths", 1, self.values.shape[1]), ("labels", 0, None)):
            numbers = getattr(self, name)
            fits = np.issubdtype(numbers.dtype, np.integer) and numbers.min() >= least
            if not fits or (most is not None and numbers.max() > most):
                ends = f"from {least}" + ("" if most is None else f" to {most}")
                raise ValueError(f"`{name}` must be whole numbers {ends}, but {numbers.min()} to {numbers.max()} are given.")

    @staticmethod
    def of(values: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray) -> Sequences:
        """From arrays of shape (frames, channels), padded with zeros to the longest."""
        lengths = np.array([len(x) for x in values])
        padded = np.zeros((len(values), lengths.max(), values[0].shape[1]), np.float32)
        for row, x in zip(padded, values, strict=True):
            row[: len(x)] = x
        return Sequences(padded, lengths, np.asarray(labels))

    @staticmethod
    def rows(images: Dataset, *, pixels: int = 28, permuted: int | None = None) -> Sequences:
        """Images as sequences of `pixels` at a time (28: row by row; 1: pixel by pixel).

        - `permuted`: seed of a fixed permutation of all pixels; `None` for none.
        """
        flat = images.images.reshape(len(images), -1).astype(np.float32)
        if permuted is not None:
            flat = flat[:, np.random.default_rng(permuted).permutation(flat.shape[1])]
        values = flat.reshape(len(flat), -1, pixels)
        return Sequences(values, np.full(len(flat), values.shape[1]), np.asarray(images.labels))

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self.labels)

    def __str__(self) -> str:
        """Sizes."""
        low, high = self.lengths.min(), self.lengths.max()
        frames = f"{low}" if low == high else f"{low} to {high}"
        classes = self.labels.max() + 1
        return f"Sequences: {len(self)} of {frames} frames of {self.values.shape[2]} channels, {classes} classes"

    def first(self, number: int) -> Sequences:
        """The first `number` of them."""
        return Sequences(self.values[:number], self.lengths[:number], self.labels[:number])

    def scaled_as(self, other: Sequences) -> Sequences:
        """Every channel less its mean in `other`, over its standard deviation there."""
        inside = np.arange(other.values.shape[1]) < other.lengths[:, None]
        frames = other.values[inside]
        scaled = (self.values - frames.mean(axis=0)) / np.maximum(frames.std(axis=0), 1e-12)
        return Sequences(scaled.astype(np.float32), self.lengths, self.labels)


def load_sequences(path: str | Path) -> tuple[Sequences, Sequences]:
    """Training and test sequences from an `.npz` that `python scripts/fetch_sequences.py` made.

    Raises `ValueError` where the file at `path` is missing, damaged or lacks an array.

    >>> import tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> part = {"values": np.zeros((2, 5, 3)), "lengths": np.array([4, 5]), "labels": np.array([0, 1])}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     arrays = {f"{name}_{which}": x for name, x in part.items() for which in ("train", "test")}
    ...     np.savez(f"{folder}/two.npz", **arrays)
    ...     print(mtj.nn.load_sequences(f"{folder}/two.npz")[0])
    Sequences: 2 of 4 to 5 frames of 3 channels, 2 classes
    """
    found = read_arrays(path, _NAMES)
    train, test = (
        Sequences(*(found[f"{name}_{part}"] for name in ("values", "lengths", "labels"))) for part in ("train", "test")
    )
    return train, test
