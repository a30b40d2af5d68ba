"""The order of an execution's steps: which can start, and which can never run."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping

from local.interpreter.definition import Step


class Schedule:
    """Keeps the states of an execution's steps. Each change takes time only for the steps that depend on it.

    A step can start when all its dependencies have succeeded. The steps of the branch not taken are skipped, and so are
    all steps that depend on them.

    Attributes:
        running: the number of steps that have started and not ended.
        failed: whether a step has failed.
    """

    def __init__(
        self, steps: Mapping[str, Step], states: Mapping[str, str], outcome: Callable[[str], bool | None]
    ) -> None:
        """Create a schedule.

        Args:
            steps: the steps by name, in the order of the definition.
            states: the states of the steps that have ended or that do not run.
            outcome: returns the outcome of a condition step that has succeeded; None if it is not known.
        """
        self.running = 0
        self.failed = "Failed" in states.values()
        self._steps = steps
        self._states = dict(states)
        self._outcome = outcome
        self._order = {name: position for position, name in enumerate(steps)}
        self._missing = {name: len(step.dependencies) for name, step in steps.items()}
        self._dependents: dict[str, list[Step]] = {name: [] for name in steps}
        for step in steps.values():
            for name in step.dependencies:
                self._dependents[name].append(step)
        self._ready = [self._order[name] for name, count in self._missing.items() if count == 0]
        self._names = list(steps)
        for name in states:
            self._propagate(name)

    def has_next(self) -> bool:
        """Return whether a step can start."""
        while self._ready and self._names[self._ready[0]] in self._states:
            heapq.heappop(self._ready)
        return bool(self._ready)

    def start_next(self) -> Step:
        """Return the first step in the order of the definition that can start, and count it as running."""
        name = self._names[heapq.heappop(self._ready)]
        self._states[name] = "Starting"
        self.running += 1
        return self._steps[name]

    def resume(self, name: str) -> Step:
        """Return a step that was started before the service stopped, and count it as running."""
        self._states[name] = "Starting"
        self.running += 1
        return self._steps[name]

    def end(self, name: str, state: str) -> None:
        """Record the end of a running step."""
        self.running -= 1
        self.failed = self.failed or state == "Failed"
        self._states[name] = state
        self._propagate(name)

    def _propagate(self, name: str) -> None:
        """Make the dependents of a step ready, or skip them."""
        state = self._states[name]
        if state == "Skipped":
            self._skip(self._dependents[name])
        elif state == "Succeeded":
            branches = [step for step in self._dependents[name] if step.branch and step.branch.condition == name]
            outcome = self._outcome(name) if branches else None
            if outcome is not None:
                self._skip([step for step in branches if step.branch and step.branch.outcome != outcome])
            for step in self._dependents[name]:
                self._missing[step.name] -= 1
                if self._missing[step.name] == 0:
                    heapq.heappush(self._ready, self._order[step.name])

    def _skip(self, steps: list[Step]) -> None:
        pending = list(steps)
        while pending:
            step = pending.pop()
            if step.name not in self._states:
                self._states[step.name] = "Skipped"
                pending += self._dependents[step.name]


class StepSlots:
    """Limits the steps that run at once in all executions together.

    Every execution may always run one step. Each further one needs a slot. So no execution waits for another, whose
    steps may wait for it.
    """

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: set[Callable[[], None]] = set()

    def take(self, wake_up: Callable[[], None]) -> bool:
        """Take a slot if one is free. If not, ``wake_up`` is called once when one is."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            self._waiting.add(wake_up)
            return False

    def give_back(self, count: int = 1) -> None:
        """Give slots back."""
        with self._lock:
            self._free += count
            waiting, self._waiting = self._waiting, set()
        for wake_up in waiting:
            wake_up()
