"""Compiled programs, kept between processes in a folder of the user.

XLA takes seconds to compile what then runs for milliseconds; jax can keep its programs on disk. The folder is `mtjax` in
$XDG_CACHE_HOME, or else in ~/.cache, with a folder inside for each version of jax and kind of processor; delete it at any
time. The environment variable MTJAX_CACHE names another folder, or `off`; jax's own JAX_COMPILATION_CACHE_DIR comes before it.
"""

from __future__ import annotations

import gc
import hashlib
import os
import platform
from pathlib import Path

import jax
import jax.monitoring

_MANY = 64
"""Compilations between two looks at how much memory is mapped."""
_MOST_MAPS = 30_000
"""Pieces of mapped memory. XLA takes some for every program, and dies where a process has Linux's own limit of 65530."""
_COMPILATIONS = [0]
"""Since the last look."""


def cache_folder() -> Path | None:
    """Where compiled programs are kept; `None` where they are not: switched off, or nothing can be written.

    >>> from mtjax.compiled import cache_folder
    >>> cache_folder() is None or cache_folder().is_dir()
    True
    """
    chosen = os.environ.get("MTJAX_CACHE", "")
    if chosen == "off":
        return None
    try:
        above = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mtjax"
        folder = above / f"jax-{jax.__version__}-{_processor()}"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None


def keep_compiled() -> None:
    """Have jax keep compiled programs in `cache_folder()`, unless a folder was chosen already; done when mtjax is imported.

    >>> import jax
    >>> import mtjax as mtj
    >>> mtj.compiled.keep_compiled()  # again: changes nothing
    >>> jax.config.jax_persistent_cache_min_compile_time_secs >= 0.0
    True
    """
    chosen = getattr(jax.config, "jax_compilation_cache_dir", None)
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or chosen is not None:
        return
    folder = cache_folder()
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)


def forget_some() -> None:
    """Drop compiled programs where this process holds so many that Linux would soon map no more memory for the next one.

    They come back from the folder. To be called where nothing is being traced.

    >>> import mtjax as mtj
    >>> mtj.compiled.forget_some()
    """
    if _COMPILATIONS[0] < _MANY:
        return
    _COMPILATIONS[0] = 0
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > _MOST_MAPS:
        jax.clear_caches()
        gc.collect()


def _count_compilation(event: str, duration: float, **kwargs: object) -> None:
    del duration, kwargs
    _COMPILATIONS[0] += "compile" in event


def _processor() -> str:
    """A name for this kind of processor: programs for one may crash on another that shares the home folder."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = [platform.processor()]
    features = next((line for line in lines if line.startswith(("flags", "Features"))), "".join(lines[:1]))
    return hashlib.sha256(f"{platform.machine()} {features}".encode()).hexdigest()[:12]


jax.monitoring.register_event_duration_secs_listener(_count_compilation)
