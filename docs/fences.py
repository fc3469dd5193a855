"""Examples of docstrings as code: every block of `>>> ` becomes a fenced block of the language pycon."""

import re

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).*)*", re.M)


class FencedExamples(griffe.Extension):
    """For pages only: the docstrings themselves stay as doctest reads them."""

    def on_object(self, *, obj, **_):
        """Fence the examples of one object; leave out the base class that only prints."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
        if obj.is_class:
            obj.bases = [base for base in obj.bases if str(base) != "Shown"]
