"""Lists the differences between two definitions, for a person to check before publishing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from definition_language.documents import all_steps

_MAX_SHOWN = 80
Definition = dict[str, Any]


def definition_changes(before: Definition | None, after: Definition) -> list[str]:
    """Return the changes from one definition to another, one line each.

    Args:
        before: the published definition, None when there is none.
        after: the definition to publish.
    """
    if before is None:
        steps = ", ".join(step["Name"] for step in all_steps(after))
        return [f"pipeline: create with the steps {steps}"]
    return [*_parameter_changes(before, after), *_step_changes(before, after), *_order_changes(before, after)]


def _parameter_changes(before: Definition, after: Definition) -> Iterator[str]:
    old = {parameter["Name"]: parameter for parameter in before["Parameters"]}
    new = {parameter["Name"]: parameter for parameter in after["Parameters"]}
    yield from (f"parameter {name}: remove" for name in old if name not in new)
    for name, parameter in new.items():
        if name not in old:
            yield f"parameter {name}: add, default {parameter.get('DefaultValue')!r}"
        else:
            for path, was, now in _differences(old[name], parameter, ""):
                yield f"parameter {name}: {path} {_shown(was, now)}"


def _step_changes(before: Definition, after: Definition) -> Iterator[str]:
    old = {step["Name"]: _own(step) for step in all_steps(before)}
    new = {step["Name"]: _own(step) for step in all_steps(after)}
    yield from (f"step {name}: remove" for name in old if name not in new)
    for name, step in new.items():
        if name not in old:
            yield f"step {name}: add"
        else:
            yield from (f"step {name}: {change}" for change in _value_changes(old[name], step))


def _order_changes(before: Definition, after: Definition) -> Iterator[str]:
    old, new = ([step["Name"] for step in all_steps(definition)] for definition in (before, after))
    if sorted(old) == sorted(new) and old != new:
        yield f"steps: now in the order {', '.join(new)}"


def _own(step: dict[str, Any]) -> dict[str, Any]:
    """Return a step without the steps inside it, which are compared separately."""
    if step["Type"] != "Condition":
        return step
    arguments = {name: value for name, value in step["Arguments"].items() if name not in ("IfSteps", "ElseSteps")}
    return {**step, "Arguments": arguments}


def _value_changes(before: Any, after: Any) -> Iterator[str]:
    for path, was, now in _differences(before, after, ""):
        if _is_upload("code", was, now):
            yield f"code of {now.rpartition('/')[2]} changes"
        elif _is_upload("options", was, now):
            yield f"options in {now.rpartition('/')[2]} change"
        else:
            yield f"{path} {_shown(was, now)}"


def _is_upload(kind: str, *values: Any) -> bool:
    """Return whether values are content-addressed URIs of the same file."""
    uris = [value for value in values if isinstance(value, str) and value.startswith("s3://") and f"/{kind}/" in value]
    return len(uris) == len(values) and len({uri.rpartition("/")[2] for uri in uris}) == 1


def _differences(before: Any, after: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (was, now) in enumerate(zip(before, after, strict=True)):
            yield from _differences(was, now, f"{path}[{index}]")
    elif before != after:
        yield path, before, after


def _shown(before: Any, after: Any) -> str:
    """Return an old and a new value; of long texts the part around their first difference."""
    texts = ["nothing" if value is None else repr(value) for value in (before, after)]
    same = next((place for place, (was, now) in enumerate(zip(*texts, strict=False)) if was != now), 0)
    start = max(0, same - _MAX_SHOWN // 2) if max(map(len, texts)) > _MAX_SHOWN else 0
    return " -> ".join(_part(text, start) for text in texts)


def _part(text: str, start: int) -> str:
    end = start + _MAX_SHOWN
    return f"{'...' if start else ''}{text[start:end]}{'...' if len(text) > end else ''}"
