"""Making the record of a resource together with its tags, or neither."""

from __future__ import annotations

from local.core.errors import ServiceError
from local.records.tags import save_tags
from local.storage.store import AlreadyExistsError, Document, Store


def add(  # noqa: PLR0913 - a record is all of these
    store: Store,
    kind: str,
    key: str,
    record: Document,
    *,
    arn: str,
    tags: list[dict[str, str]] | None,
    taken: ServiceError,
) -> None:
    """Add a resource's record and tags.

    Args:
        store: the records.
        kind: kind of record.
        key: its key.
        record: what it holds.
        arn: the resource's ARN, which its tags are kept by.
        tags: its tags, if any.
        taken: what to say when there is a resource of that kind and key.

    Raises:
        ServiceError: ``taken``, or a tag is refused; nothing is kept then.
    """
    try:
        with store.transaction():
            store.insert(kind, key, record)
            save_tags(store, arn, tags)
    except AlreadyExistsError:
        raise taken from None
