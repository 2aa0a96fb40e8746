"""For the reference of the site: docstrings as they stand in the code, in the form that griffe reads best.

An extension of griffe, named in mkdocs.yml. What a docstring says under "Attributes" is moved to the attributes
themselves, so that each has a heading of its own, which links and the search find. "Example" is called "Examples", the
word that griffe knows for code to be shown as code.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ATTRIBUTES = re.compile(r"^Attributes:\n(?:[ \t]+.*\n?|\n)*", re.MULTILINE)
_EXAMPLE = re.compile(r"^Example:$", re.MULTILINE)


class DocstringsInPlace(griffe.Extension):  # type: ignore[misc] # griffe is installed only in .venv-docs
    """Moves the entries of "Attributes" to the members that they describe, and finds examples."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Move those of one class, whose members are known now."""
        if cls.docstring is None:
            return
        for section in cls.docstring.parse("google", warnings=False):
            if section.kind is griffe.DocstringSectionKind.attributes:
                for entry in section.value:
                    member = cls.members[entry.name]  # a name that is no attribute ends the build
                    member.docstring = griffe.Docstring(entry.description, parent=member)
                cls.docstring.value = _ATTRIBUTES.sub("", cls.docstring.value).strip()

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Find the examples of one object."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub("Examples:", obj.docstring.value)
