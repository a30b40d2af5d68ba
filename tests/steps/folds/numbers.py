"""Fields that are numbers or look a little like them, and which of them are."""

from __future__ import annotations

import math

from hypothesis import strategies as st

fields = st.one_of(
    st.text("0123456789+-.eE", max_size=8),
    st.text("0123456789 .nNaAiIfF\t/xdDfL_", max_size=6),
    st.sampled_from(
        [
            "1e99",
            "1e100",
            "1e+005",
            "1e-308",
            "9" * 30,
            "9" * 31,
            "9" * 200,
            "9" * 201,
            "1" + "0" * 197 + "e99",
            "1" + "0" * 300,
            "Infinity",
            "N/A",
            "none",
            "1d",
            "",
            "5.",
        ]
    ),
)


def is_number(text: str) -> bool:
    """A number that Python reads, with at most 200 digits before the point and an exponent below 100."""
    mantissa, _, exponent = text.strip(" \t").lower().partition("e")
    try:
        return (
            "_" not in text
            and math.isfinite(float(text.strip(" \t")))
            and len(mantissa.lstrip("+-").partition(".")[0]) <= 200
            and -1000 < int(exponent or 0) < 100
            and len(exponent.lstrip("+-")) <= 3
        )
    except ValueError:
        return False
