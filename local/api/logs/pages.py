"""Pages of lists, and the tokens of the next ones."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from local.api.logs.errors import invalid_token

_PAGE = 50
_MARK = "after:"
"""Begins each token before it is encoded, which tells it from text that is none."""
_POSITION = re.compile(r"[0-9]{1,18}")


def page(
    request: dict[str, Any], key: str, items: list[dict[str, Any]], rank: Callable[[dict[str, Any]], str]
) -> dict[str, Any]:
    """Return the page of a list that a request asks for, and the token of the next one.

    Args:
        request: ``limit``, ``nextToken`` and ``descending`` count.
        key: the response's member for the items.
        items: all items, in any order.
        rank: returns a text that orders the items; no two have the same. The token holds that of the page's last item,
            so the next page is right even if items are deleted in between.

    Raises:
        ServiceError: InvalidParameterException, the token is not one of these.
    """
    descending = bool(request.get("descending"))
    ordered = sorted(items, key=rank, reverse=descending)
    if "nextToken" in request:
        last = read_token(request["nextToken"])
        ordered = [item for item in ordered if (rank(item) < last if descending else rank(item) > last)]
    limit = request.get("limit", _PAGE)
    return {key: ordered[:limit]} | ({"nextToken": token(rank(ordered[limit - 1]))} if len(ordered) > limit else {})


def token(place: str) -> str:
    """Return the token for the page after a place."""
    return base64.urlsafe_b64encode(f"{_MARK}{place}".encode()).decode()


def read_token(text: str) -> str:
    """Return the place of a token.

    Raises:
        ServiceError: InvalidParameterException, ``token`` has not returned the text.
    """
    try:
        place = base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise invalid_token() from None
    if not place.startswith(_MARK):
        raise invalid_token()
    return place.removeprefix(_MARK)


def position(text: str) -> int:
    """Return the number in a token.

    Raises:
        ServiceError: InvalidParameterException, it is no number.
    """
    if _POSITION.fullmatch(text) is None:
        raise invalid_token()
    return int(text)
