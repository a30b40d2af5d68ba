"""Text from outside, as a page may show it: times, durations, JSON, and no control characters."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from pipeline.text import visible as escaped

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def visible(text: object) -> str:
    """Drop a terminal's colours, and escape other control characters and changes of the writing direction."""
    return escaped(_COLOURS.sub("", str(text)))


def pretty(value: Any) -> str:
    """Return JSON on several lines; times as ISO 8601."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_json_default)


def _json_default(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def local_time(moment: datetime) -> str:
    """Return a moment in this machine's time zone, to the second: ``2026-11-27 07:11:05 UTC``."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from start to end, or to now without an end; None without a start."""
    return None if start is None else max(0.0, ((end or datetime.now(UTC)) - start).total_seconds())


def figure(value: str) -> str:
    """Return a recorded number with as many digits as a reader needs; another text as it is."""
    try:
        number = float(value)
    except ValueError:
        return value
    return f"{number:,.0f}" if 10_000 <= abs(number) < 1e15 else f"{number:.4g}"


def duration(seconds: float | None) -> str:
    """Return a duration in words of at most two units: ``1 h 5 min``. Few seconds have a decimal; None is empty."""
    if seconds is None:
        return ""
    if isinstance(seconds, float) and seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if whole % 60 else f"{minutes} min"


def size(count: int) -> str:
    """Return a number of bytes with a unit of powers of 1000: ``12.3 kB``."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.0f} {units[0]}" if units[0] == "B" or value >= 99.95 else f"{value:.1f} {units[0]}"


def number(value: float | None) -> str:
    """Return a number with at most six digits, or without decimals from 100,000; empty for None."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:,.6g}"
