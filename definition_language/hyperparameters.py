"""How the hyperparameters of SageMaker's algorithms are read, checked and tuned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True)
class Rule:
    """Defines how a hyperparameter is read and checked.

    Attributes:
        default: The default, as text; empty if there is none.
        valid: The valid values in words, for messages.
        read: Returns the value of a text, or None if the text is invalid.
        auto: The value of the text ``auto``: None if it is resolved later, ``...`` if ``auto`` is invalid.
    """

    default: str
    valid: str
    read: Callable[[str], Any]
    auto: Any = ...

    @property
    def expected(self) -> str:
        """The valid values in words, ``auto`` included."""
        return self.valid if self.auto is ... else f"'auto' or {self.valid}"

    def parse(self, text: str) -> Any:
        """Return the value of a text, or None for an ``auto`` that is resolved later.

        Raises:
            ValueError: The text is invalid. The message quotes it and says what is valid.
        """
        if text == "auto" and self.auto is not ...:
            return self.auto
        value = self.read(text)
        if value is None:
            raise ValueError(f"'{text}' is not {self.expected}")
        return value


@dataclass(frozen=True)
class Tunable:
    """Describes the range in which a tuning job can vary a hyperparameter.

    Attributes:
        kind: The kind of range that the developer guide recommends.
        minimum: The lower end of a Continuous or Integer range.
        maximum: The upper end of a Continuous or Integer range.
        values: The values of a Categorical range.
    """

    kind: Literal["Continuous", "Integer", "Categorical"]
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()


def text_of(value: bool | float | str) -> str:
    """Return a hyperparameter as SageMaker's algorithms read it: ``true``, and 0.00001 instead of 1e-05."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)
