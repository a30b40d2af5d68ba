"""Making the record of a resource together with its tags, or neither."""

from __future__ import annotations

from local.api.sagemaker.tags import save_tags
from local.context import Context
from local.core.errors import ServiceError
from local.storage.store import AlreadyExistsError, Document


def add(  # noqa: PLR0913 - a record is all of these
    context: Context,
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
        context: the running service.
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
        with context.store.transaction():
            context.store.insert(kind, key, record)
            save_tags(context, arn, tags)
    except AlreadyExistsError:
        raise taken from None
