"""Says for which rows of a file MakeFolds would stop. Unlike the preflight, it knows the whole file."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline.config.models import QUARANTINED_SHARE, Config
from pipeline.config.profile import Profile
from pipeline.text import number_of, some_of


def stop_reasons(profile: Profile, config: Config) -> Iterator[str]:
    """Yield a sentence for each reason, with the key to change.

    Args:
        profile: the file, read as the configuration says.
        config: the configuration.
    """
    folds, dataset = config.folds, config.dataset
    if bad := profile.bad:
        share = bad / profile.judged
        if folds.on_bad_rows == "fail":
            larger = f" and folds.max_bad_share: {rounded_up(bad, profile.judged)}" if share > QUARANTINED_SHARE else ""
            yield (
                f"folds.on_bad_rows: {bad_rows(profile)}. The first of them stops MakeFolds. Correct them, or set them "
                f"aside with folds.on_bad_rows: quarantine{larger}"
            )
        elif share > folds.max_bad_share:
            yield (
                f"folds.max_bad_share: {bad_rows(profile)}. That is {share:.3%}, and {folds.max_bad_share:.3%} may be "
                "set aside: MakeFolds would stop. Correct them, or set a larger share"
            )
    for column in profile.columns:
        if profile.rows and column.name == dataset.groups and column.distinct < folds.count:
            groups = number_of(column.distinct, "group")
            yield f"folds.count: {column.name} has {groups}: too few for {folds.count} folds"
        if profile.rows and column.name == dataset.label and column.is_counted:
            absent = [repr(each) for each in dataset.classes or [] if each not in column.counts]
            if absent:
                yield f"dataset.classes: no row has the class {some_of(absent)}: remove or correct it"


def bad_rows(profile: Profile) -> str:
    """Return the start of a sentence about the rows that MakeFolds refuses."""
    have = "has" if profile.bad == 1 else "have"
    return (
        f"{profile.bad} of {number_of(profile.judged, 'row')} {have} a missing, unreadable or undeclared value, or a "
        "wrong number of fields"
    )


def rounded_up(part: int, whole: int) -> float:
    """Return a share rounded up to a thousandth: a limit that it does not exceed."""
    return math.ceil(1000 * part / whole) / 1000
