"""mtjax: a differentiable simulator of spintronic devices in JAX.

The names are listed in `__init__.pyi` beside this file; each is imported when it is first used, so that `import mtjax` and the
command line start at once.
"""

from importlib.metadata import version

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = version("mtjax")
