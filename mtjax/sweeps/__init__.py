"""Switching probabilities over grids of settings, in a folder that survives interruptions and is shared by processes."""

from mtjax.sweeps.folder import answers, merged, run, write_merged
from mtjax.sweeps.sweep import Answer, Axis, Sweep, sentence

__all__ = ["Answer", "Axis", "Sweep", "answers", "merged", "run", "sentence", "write_merged"]
