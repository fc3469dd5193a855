"""Images and labels: scikit-learn's digits, MNIST and Fashion-MNIST as `.npz`, and files of your own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtjax.files import read_arrays
from mtjax.printing import Shown
from mtjax.quantities import need


class Dataset(Shown):
    """Images with labels.

    - `images`: shape (samples, ...), between 0 and 1.
    - `labels`: shape (samples,), whole numbers from 0.

    >>> import numpy as np
    >>> import mtjax as mtj
    >>> data = mtj.nn.Dataset(np.zeros((5, 28, 28)), np.arange(5))
    >>> print(data.first(3).shaped(784))
    Dataset: 3 samples of shape (784,), 3 classes
    """

    images: np.ndarray
    labels: np.ndarray

    def __check_init__(self):
        images, labels = self.images, self.labels
        if labels.ndim != 1 or len(labels) != len(images):
            raise ValueError(
                f"There must be one label for each of the {len(images)} images, but `labels` has shape {labels.shape}."
            )
        if not np.issubdtype(labels.dtype, np.integer) or (labels.size and labels.min() < 0):
            raise ValueError(
                f"`labels` must be whole numbers from 0, but hold {labels.dtype} values such as {labels.ravel()[:1]}."
            )
        if not np.all(np.isfinite(images)) or images.min() < 0 or images.max() > 1:
            raise ValueError(f"`images` must lie between 0 and 1, but lie between {images.min()} and {images.max()}.")

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def __str__(self) -> str:
        """Sizes."""
        return f"Dataset: {len(self)} samples of shape {self.images.shape[1:]}, {self.labels.max() + 1} classes"

    def first(self, number: int) -> Dataset:
        """The first `number` samples."""
        return Dataset(self.images[:number], self.labels[:number])

    def shaped(self, *shape: int) -> Dataset:
        """With every image in another shape."""
        return Dataset(self.images.reshape(len(self), *shape), self.labels)


def digits(*, seed: int = 0, test: float = 0.2) -> tuple[Dataset, Dataset]:
    """The 1,797 8x8 digits of scikit-learn (`pip install 'mtjax[nn]'`), stratified into training and test data.

    Raises `ImportError` without scikit-learn.

    >>> import mtjax as mtj
    >>> training, test = mtj.nn.datasets.digits()
    >>> print(training)
    Dataset: 1437 samples of shape (64,), 10 classes
    >>> print(test.shaped(8, 8, 1))
    Dataset: 360 samples of shape (8, 8, 1), 10 classes
    """
    need("sklearn", "The data set of digits")
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    a, b, la, lb = train_test_split(images / 16.0, labels, test_size=test, random_state=seed, stratify=labels)
    return Dataset(a.astype(np.float32), la), Dataset(b.astype(np.float32), lb)  # pyright: ignore[reportAttributeAccessIssue]


def load_npz(path: str | Path) -> tuple[Dataset, Dataset]:
    """Training and test data from an `.npz` with arrays x_train, y_train, x_test, y_test.

    Bytes are divided by 255. Raises `ValueError` where an array is missing or labels and images do not fit.

    >>> import tempfile
    >>> import numpy as np
    >>> import mtjax as mtj
    >>> images, labels = np.full((2, 8, 8), 255, np.uint8), np.array([0, 1])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/two.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    ...     print(mtj.nn.datasets.load_npz(f"{folder}/two.npz")[0])
    Dataset: 2 samples of shape (8, 8), 2 classes
    """
    if not Path(path).exists():
        raise ValueError(
            f"The data file '{path}' does not exist: `python scripts/fetch_images.py` makes mnist.npz and fashion.npz."
        )
    arrays = read_arrays(path, ("x_train", "y_train", "x_test", "y_test"))
    parts = [Dataset(_unit(arrays[f"x_{part}"]), arrays[f"y_{part}"]) for part in ("train", "test")]
    if parts[1].labels.max() > parts[0].labels.max():
        raise ValueError(
            f"Test labels must occur in training, up to {parts[0].labels.max()}, but the largest is {parts[1].labels.max()}."
        )
    return parts[0], parts[1]


def _unit(images: np.ndarray) -> np.ndarray:
    return (images / np.float32(255) if images.dtype == np.uint8 else images).astype(np.float32)
