"""Selective execution: run the selected steps, and reuse other steps' results from an earlier execution.

Source: "Selective execution of pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.core.errors import validation_error
from local.interpreter.definition import Definition
from local.records import executions as records
from local.storage.store import Document, Store


def skipped_steps(definition: Definition, execution: Document) -> set[str]:
    """Return the names of the steps that are not selected; none if the execution has no selection."""
    selected = _selected(execution.get("SelectiveExecutionConfig"))
    return set(definition.steps) - selected if selected else set()


def reused_steps(store: Store, definition: Definition, pipeline_arn: str, config: Document) -> list[Document]:
    """Return the step records that a selective execution reuses from its source execution.

    These are the steps that are not selected but that selected steps depend on.

    Args:
        store: The records.
        definition: The pipeline's definition.
        pipeline_arn: The pipeline. The source execution must belong to it.
        config: SelectiveExecutionConfig.

    Raises:
        ServiceError: ValidationException: the selection cannot run.
    """
    selected = _selected(config)
    faults = list(_selection_faults(definition, selected))
    if faults:
        raise validation_error("; ".join(faults))
    needed = sorted({name for step in selected for name in definition.steps[step].dependencies} - selected)
    source = config.get("SourcePipelineExecutionArn")
    if source is None:
        if needed:
            raise validation_error(
                "SourcePipelineExecutionArn is required: the selected steps depend on steps that are not "
                f"selected: {', '.join(needed)}"
            )
        return []
    if not source.startswith(f"{pipeline_arn}/execution/") or store.find(records.EXECUTION, source) is None:
        raise validation_error(f"SourcePipelineExecutionArn {source} is not an execution of {pipeline_arn}")
    return [_reused_step(store, source, name) for name in needed]


def _selected(config: Document | None) -> set[str]:
    return {item["StepName"] for item in config["SelectedSteps"]} if config else set()


def _selection_faults(definition: Definition, selected: set[str]) -> Iterator[str]:
    unknown = selected - set(definition.steps)
    for name in sorted(unknown):
        yield f"SelectedSteps: the pipeline has no step '{name}'"
    if unknown:
        return
    upstream = {name: definition.ancestors(name) for name in definition.steps}
    for name, ancestors in upstream.items():
        if name in selected or not ancestors & selected:
            continue
        below = [other for other in selected if name in upstream[other]]
        if below:
            yield (
                f"SelectedSteps: step '{name}' is between '{min(ancestors & selected)}' and '{min(below)}'; "
                "select it too"
            )


def _reused_step(store: Store, source: str, name: str) -> Document:
    record = records.step(store, source, name)
    if record is None or record["StepStatus"] != "Succeeded":
        raise validation_error(f"Step '{name}' did not succeed in {source}, but the selected steps depend on it")
    kept = {
        member: value
        for member, value in record.items()
        if member not in ("CacheHitResult", "_CacheKey", "AttemptCount")
    }
    return {**kept, "SelectiveExecutionResult": {"SourcePipelineExecutionArn": source}}
