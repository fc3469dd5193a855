"""Pictures without matplotlib."""

import importlib
import sys

import pytest


def test_pictures_need_matplotlib(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mtjax.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"A picture needs matplotlib, which is missing: pip install 'mtjax\[plot\]'"):
        importlib.import_module("mtjax.plot")
