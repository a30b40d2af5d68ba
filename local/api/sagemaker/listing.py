"""Filters, sorting and paging of List operations."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from definition_language.constraints import read_timestamp
from local.api.sagemaker.operations import Request, Response
from local.api.sagemaker.page_tokens import invalid_token
from local.core.json_text import read_json
from local.storage.store import Document

DEFAULT_PAGE_SIZE = 10
"""The default of ``MaxResults``.

ListEndpoints, ListTransformJobs and others document it; most operations document none. With the smallest default, a
client that does not ask for further pages fails here first.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpoints.html
"""

_SortKey = tuple[Any, ...]


def page(  # noqa: PLR0913 - SageMaker's List operations differ in each of these
    request: Request,
    items: Sequence[Document],
    result_key: str,
    *,
    resource: str = "",
    created: str = "CreationTime",
    modified: str = "LastModifiedTime",
    identity: str | None = None,
    sort_by: str = "CreationTime",
    order: str = "Ascending",
    page_size: int = DEFAULT_PAGE_SIZE,
    sort_keys: Mapping[str, Callable[[Document], Any]] | None = None,
) -> Response:
    """Return the response of a List operation: one page of the filtered and sorted records.

    Applies these members of the request: ``NameContains``, ``CreationTimeAfter``, ``CreationTimeBefore``,
    ``CreatedAfter``, ``CreatedBefore``, ``LastModifiedTimeAfter``, ``LastModifiedTimeBefore``, ``StatusEquals``,
    ``SortBy``, ``SortOrder``, ``MaxResults`` and ``NextToken``. The caller applies all other filters.

    A ``NextToken`` identifies the last item of a page. A list that changes between two calls therefore neither repeats
    nor skips items.

    Args:
        request: The List operation's request.
        items: The records to list.
        result_key: The response's member for the items, for example ``Endpoints``.
        resource: The prefix of the members ``<resource>Name``, ``<resource>Arn`` and ``<resource>Status``.
        created: The member with the creation time, in seconds since the epoch.
        modified: The member with the time of the last change, in seconds since the epoch. If an item lacks the member,
            its creation time is used.
        identity: A member whose value is unique among the items. ``<resource>Arn`` if None.
        sort_by: The default of ``SortBy``.
        order: The default of ``SortOrder``.
        page_size: The default of ``MaxResults``.
        sort_keys: Functions that return the value to sort by, by value of ``SortBy``. Without one, the member of that
            name is used.

    Returns:
        The items under ``result_key``, and ``NextToken`` if there are more items.

    Raises:
        ServiceError: ValidationException, because ``NextToken`` is not a token of this operation.
    """
    members = {"Name": f"{resource}Name", "Status": f"{resource}Status", "CreationTime": created}
    unique = identity or f"{resource}Arn"
    field: str = request.get("SortBy", sort_by)
    value_of = (sort_keys or {}).get(field, _member(members.get(field, field)))

    def sort_key(item: Document) -> _SortKey:
        value = value_of(item)
        return (value is not None, value if value is not None else 0, item.get(created) or 0, item[unique])

    keep = _filters(request, members["Name"], members["Status"], created, modified)
    descending = request.get("SortOrder", order) == "Descending"
    chosen = sorted((item for item in items if keep(item)), key=sort_key, reverse=descending)
    if "NextToken" in request:
        last = _read_token(request["NextToken"])
        chosen = [item for item in chosen if _comes_after(sort_key(item), last, descending)]
    limit = request.get("MaxResults", page_size)
    response: Response = {result_key: chosen[:limit]}
    if len(chosen) > limit:
        response["NextToken"] = _make_token(sort_key(chosen[limit - 1]))
    return response


def _member(name: str) -> Callable[[Document], Any]:
    return lambda item: item.get(name)


def _filters(request: Request, name: str, status: str, created: str, modified: str) -> Callable[[Document], bool]:
    def keep(item: Document) -> bool:
        creation = item.get(created) or 0.0
        change = item.get(modified) or creation
        return (
            request.get("NameContains", "") in item.get(name, "")
            and request.get("StatusEquals", item.get(status)) == item.get(status)
            and all(creation > moment for moment in _moments(request, "CreationTimeAfter", "CreatedAfter"))
            and all(creation < moment for moment in _moments(request, "CreationTimeBefore", "CreatedBefore"))
            and all(change > moment for moment in _moments(request, "LastModifiedTimeAfter"))
            and all(change < moment for moment in _moments(request, "LastModifiedTimeBefore"))
        )

    return keep


def _moments(request: Request, *members: str) -> list[float]:
    return [read_timestamp(request[member]) for member in members if member in request]


def _comes_after(key: _SortKey, last: _SortKey, descending: bool) -> bool:
    try:
        return key < last if descending else key > last
    except TypeError:
        raise invalid_token() from None


def _make_token(key: _SortKey) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _read_token(token: str) -> _SortKey:
    try:
        key = read_json(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        raise invalid_token() from None
    if not isinstance(key, list) or len(key) != 4:
        raise invalid_token()
    return tuple(key)
