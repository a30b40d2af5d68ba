"""Read JSON from untrusted senders, within limits on what Python cannot handle later.

Python's own reader accepts more than JSON has, and values that fail only when they are used: NaN and infinite numbers,
numbers of any size, half surrogate pairs, and nesting that exceeds the stack.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

DEEPEST = 200
"""Levels of nesting. Functions that follow the value into its depth use a few of Python's 1,000 frames per level."""

MOST_DIGITS = 300
"""Digits of an integer. Integers of this size still convert to a float."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


class JsonError(ValueError):
    """The text is not JSON, or exceeds a limit.

    The message completes a sentence about the text, for example "is nested too deeply".
    """


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Args:
        text: The text; bytes must be UTF-8.

    Raises:
        JsonError: The text is not JSON; a number is not finite or has too many digits; a string has half of a
            surrogate pair; or the value is nested too deeply.
    """
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        value = json.loads(decoded, parse_int=_integer, parse_float=_float, parse_constant=_refuse_constant)
    except JsonError:
        raise
    except UnicodeDecodeError:
        raise JsonError("is not UTF-8 text") from None
    except ValueError as error:
        raise JsonError(f"is not JSON: {error}") from None
    except RecursionError:
        raise JsonError("is nested too deeply") from None
    if decoded.count("[") + decoded.count("{") > DEEPEST:
        _check_depth(value)
    if _SURROGATE.search(decoded):
        _check_text(value)
    return value


def _integer(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise JsonError(f"has an integer of more than {MOST_DIGITS} digits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError("has a number that is too large")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise JsonError(f"is not JSON: {text} is not a number of JSON")


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise JsonError("is nested too deeply")
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]


def _check_text(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError("has a string with half of a surrogate pair") from None
