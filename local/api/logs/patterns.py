"""Filter patterns of terms."""

from __future__ import annotations

import re
from collections.abc import Callable

from local.core.errors import not_implemented


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that tests whether a message matches a filter pattern of terms.

    A message matches if it contains all plain terms, at least one of the ``?`` terms if there are any, and none of the
    ``-`` terms.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

    Raises:
        ServiceError: NotImplementedException, a pattern of another kind.
    """
    if pattern.lstrip()[:1] in ("{", "[", "%"):
        raise not_implemented("logs", "filter patterns other than terms")
    terms: dict[str, list[str]] = {"": [], "?": [], "-": []}
    for sign, quoted, plain in re.findall(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))', pattern):
        terms[sign].append(quoted or plain)

    def wanted(message: str) -> bool:
        return (
            all(term in message for term in terms[""])
            and not any(term in message for term in terms["-"])
            and (not terms["?"] or any(term in message for term in terms["?"]))
        )

    return wanted
