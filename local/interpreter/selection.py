"""Selective execution: some steps run, others lend what they gave in an earlier execution.

Source: "Selective execution of pipeline steps", Amazon SageMaker developer guide.
"""

from __future__ import annotations

from collections.abc import Iterator

from local.core.errors import validation_error
from local.interpreter.definition import Definition
from local.records import executions as records
from local.storage.store import Document, Store


def skipped_steps(definition: Definition, execution: Document) -> set[str]:
    """Names of the steps that a selection leaves out; none where the execution has no selection."""
    selected = _selected(execution.get("SelectiveExecutionConfig"))
    return set(definition.steps) - selected if selected else set()


def lent_steps(store: Store, definition: Definition, pipeline_arn: str, config: Document) -> list[Document]:
    """Records of the steps that are not selected and that the selected ones depend on, out of another execution.

    Args:
        store: the records.
        definition: the pipeline's definition.
        pipeline_arn: the pipeline, to which the other execution has to belong.
        config: SelectiveExecutionConfig.

    Raises:
        ServiceError: ValidationException, the selection cannot run.
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
        raise validation_error(f"SourcePipelineExecutionArn {source} is no execution of {pipeline_arn}")
    return [_lent(store, source, name) for name in needed]


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
                f"SelectedSteps: step '{name}' lies between '{min(ancestors & selected)}' and '{min(below)}' "
                "and has to be selected too"
            )


def _lent(store: Store, source: str, name: str) -> Document:
    record = records.step(store, source, name)
    if record is None or record["StepStatus"] != "Succeeded":
        raise validation_error(f"Step '{name}' did not succeed in {source}, and the selected steps depend on it")
    lent = {
        member: value
        for member, value in record.items()
        if member not in ("CacheHitResult", "_CacheKey", "AttemptCount")
    }
    return {**lent, "SelectiveExecutionResult": {"SourcePipelineExecutionArn": source}}
