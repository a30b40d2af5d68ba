"""The base of the configuration's sections."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of the configuration. It refuses unknown keys and values of another type, and is immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
