"""The regions of a folder's records: their ARNs name them."""

from __future__ import annotations

from local.records.kinds import KINDS
from local.storage.store import Store


def other_regions(store: Store, region: str) -> set[str]:
    """Return the regions of the records; none if there are no records, or one of them is of ``region``.

    Earlier versions could start in several regions.
    """
    found: set[str] = set()
    for kind in KINDS:
        for record in store.list(kind.name):
            found.update(record[kind.arn_member].split(":")[3:4])
        if region in found:
            return set()
    return found
