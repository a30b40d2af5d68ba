"""The base of the configuration's sections, and what documentation and editors learn from them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic_core import CoreSchema

VALUES_IN_WORDS = "x-values"
"""The member of a key's schema that says in words which values it takes, where the types do not say it well."""

DEFAULT_IN_WORDS = "x-default"
"""The member of a key's schema that says in words what its default is, where it follows from other keys."""


class Section(BaseModel):
    """A section of the configuration. It refuses unknown keys and values of another type, and is immutable.

    The docstring under a key says what the key means. It is Markdown, and links start in docs/. The pages of the
    documentation and config.schema.json take it from here.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the section's JSON Schema with the meaning of each key.

        It stands for pydantic's use_attribute_docstrings, which reads the source at every start: 40 ms.
        """
        schema = handler.resolve_ref_schema(handler(core_schema))
        for key, meaning in _meanings(cls).items():
            schema["properties"][key]["description"] = meaning
        return schema


def _meanings(section: type[Section]) -> dict[str, str]:
    """Return the docstrings under the keys of a section."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(section))).body
    assert isinstance(definition, ast.ClassDef)
    meanings = {}
    for key, docstring in pairwise(definition.body):
        match key, docstring:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                meanings[name] = " ".join(text.split())
    return meanings
