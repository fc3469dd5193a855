"""Where tests find what lies beside the project: measured data and independent sketches."""

from pathlib import Path

SHARED = Path(__file__).parents[2] / "shared"
