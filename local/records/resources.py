"""Create a resource's record and its tags in one transaction."""

from __future__ import annotations

from local.core.errors import ServiceError
from local.records.tags import save_tags
from local.storage.store import AlreadyExistsError, Document, Store


def add(  # noqa: PLR0913 - a resource has all of these
    store: Store,
    kind: str,
    key: str,
    record: Document,
    *,
    arn: str,
    tags: list[dict[str, str]] | None,
    already_exists: ServiceError,
) -> None:
    """Add a resource's record and tags.

    Args:
        store: The records.
        kind: The kind of record.
        key: The record's key.
        record: The record.
        arn: The resource's ARN, which is the key of its tags.
        tags: The resource's tags, if any.
        already_exists: The error to raise if the resource already exists.

    Raises:
        ServiceError: The resource already exists, or a tag is invalid. Nothing is stored.
    """
    try:
        with store.transaction():
            store.insert(kind, key, record)
            save_tags(store, arn, tags)
    except AlreadyExistsError:
        raise already_exists from None
