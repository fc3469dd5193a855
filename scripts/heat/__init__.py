"""Experiments on heated cells and films of grains, for `scripts/heat_and_grains.py`."""
