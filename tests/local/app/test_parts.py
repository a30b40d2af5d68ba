"""What the parts of a service say of an earlier run."""

from __future__ import annotations

import time

from local.app.parts import Parts
from local.core.settings import Settings
from local.records.kinds import ASYNCHRONOUS_INVOCATION, EVENT
from local.storage.set_aside import SetAside


def test_a_start_counts_the_events_and_invocations_that_were_accepted_before(parts: Parts, settings: Settings) -> None:
    # They are not done while this test looks.
    later = {"Due": time.time() + 3600}
    parts.store.insert(EVENT, "1", later)
    for key in ("2", "3"):
        parts.store.insert(ASYNCHRONOUS_INVOCATION, key, later)
    said = parts.restore(SetAside(settings.root))
    assert said == ["Accepted before and still to be done: 1 event, 2 asynchronous invocations."]
