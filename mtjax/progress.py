"""What long work says of itself: lines of the logger `mtjax`, which progress bars and the command line show.

Python prints none of them unless asked: `logging.getLogger("mtjax").addHandler(logging.StreamHandler())`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

LOG = logging.getLogger("mtjax")
LOG.setLevel(logging.INFO)


@contextmanager
def progress_bar(title: str, *, shown: bool, **options: Any) -> Iterator[tqdm]:
    """A bar of tqdm (with its `options`), if it is to be `shown`; what is logged meanwhile stands before it, after the `title`.

    >>> from mtjax.progress import LOG, progress_bar
    >>> with progress_bar("fit", shown=False, unit=" steps") as bar:
    ...     LOG.info("compiling")
    ...     bar.update()
    """
    with tqdm(desc=title, disable=not shown, **options) as bar:
        if not shown:
            yield bar
            return
        before = LOG.handlers[:]
        LOG.handlers[:] = [_Before(bar, title)]
        try:
            yield bar
        finally:
            LOG.handlers[:] = before


class _Before(logging.Handler):
    """Puts what is logged before a bar."""

    def __init__(self, bar: tqdm, title: str):
        super().__init__()
        self.bar, self.title = bar, title

    def emit(self, record: logging.LogRecord) -> None:
        """Show one line."""
        self.bar.set_description(f"{self.title}: {record.getMessage()}")
