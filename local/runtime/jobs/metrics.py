"""Metrics of training jobs, read from their logs by regular expressions as in SageMaker."""

from __future__ import annotations

import math
import re
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """A metric, and a regular expression whose first group matches the metric's value."""

    name: str
    regex: re.Pattern[str]

    def find(self, line: str) -> re.Match[str] | None:
        """Return the first match in a line.

        An expression that begins with ``.*`` matches from the line's beginning or not at all. A search would go on
        from every later character, which takes milliseconds a line.
        """
        return self.regex.match(line) if self.regex.pattern.startswith(".*") else self.regex.search(line)

    @classmethod
    def compile(cls, name: str, regex: str) -> Definition:
        """Return a definition.

        Raises:
            ValueError: The regular expression is not valid, or it has no group.
        """
        try:
            pattern = re.compile(regex)
        except re.error as error:
            raise ValueError(f"metric {name}: {regex!r} is not a regular expression: {error}") from None
        if pattern.groups == 0:
            raise ValueError(f"metric {name}: {regex!r} has no group for the metric's value")
        return cls(name, pattern)


Observer = Callable[[str, float], None]
"""Is called with the name and the value of each metric that is read."""


class MetricReader:
    """Reads metrics from a job's log lines.

    Args:
        definitions: the metrics.
        observe: is called with each value.

    Attributes:
        history: All values of each metric by name, in the order of their lines.
    """

    def __init__(self, definitions: Iterable[Definition], observe: Observer) -> None:
        self._definitions = list(definitions)
        self._observe = observe
        self._times: dict[str, float] = {}
        self.history: dict[str, list[float]] = {}

    def read(self, lines: Iterable[str]) -> None:
        """Add the metrics in lines of the log."""
        now = time.time()
        for line in lines:
            for definition in self._definitions:
                found = definition.find(line)
                value = None if found is None else _number(found[1])
                if value is not None:
                    self.history.setdefault(definition.name, []).append(value)
                    self._times[definition.name] = now
                    self._observe(definition.name, value)

    def final(self) -> list[dict[str, object]]:
        """Return the last value of each metric as FinalMetricDataList."""
        return [
            {"MetricName": name, "Value": values[-1], "Timestamp": self._times[name]}
            for name, values in sorted(self.history.items())
        ]


def _number(text: str | None) -> float | None:
    """Return a value as SageMaker stores it, as a finite 32-bit floating-point number, or None if it is not one."""
    try:
        value = struct.unpack("f", struct.pack("f", float(text or "")))[0]
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None
