"""What public pipelines use, and whether the local service has it: a section of docs/coverage.md.

The shares are of 79 public pipelines counted in November 2026. They are data: no code can compute them.
"""

from __future__ import annotations

from dataclasses import dataclass

_SHAPE = """\
## What public pipelines use

The numbers are of 79 public pipelines counted in November 2026; 24 of them were also run. `tests/strangers/` runs
twelve pipelines of our own with the same features and habits to their end, and checks what they made.

| habit | share | |
|---|---|---|
{habits}

Each feature adds the share of pipelines that run once it is there. Most need a literal `/opt/ml` first.

| feature | adds | |
|---|---|---|
{features}
"""


@dataclass(frozen=True)
class Usage:
    """Something that pipelines use.

    Attributes:
        what: What they use, as Markdown.
        share: The share of pipelines, with its unit.
        here: What the local service has of it, as Markdown.
    """

    what: str
    share: str
    here: str


HABITS = (
    Usage(
        "a literal `/opt/ml/...` in a job's code",
        "72 % of the 76 whose code was found",
        "there ([how](local-service.md#how-a-job-gets-its-optml))",
    ),
    Usage("`pip install` in a job's code", "17 %", "there, into the job's own environment"),
    Usage(
        "imports of `sagemaker_xgboost_container` or `sagemaker_containers`",
        "10 %",
        "there, for [what scripts use of them](local-service.md#the-images-of-scikit-learn-and-xgboost)",
    ),
)
FEATURES = (
    Usage(
        "XGBoost as a built-in algorithm", "20 %", "there, in [version 3.2-0](xgboost.md); other versions are refused"
    ),
    Usage(
        "script mode of scikit-learn and XGBoost",
        "12 %",
        "there ([training](training-jobs.md), [models](model-servers.md))",
    ),
    Usage("FrameworkProcessor and other bash entrypoints", "1 %", "there"),
    Usage("@step functions, ModelTrainer", "6 %", "there ([which images](training-jobs.md))"),
    Usage("own images", "5 %", "there, by [`local-images.yaml`](local-service.md#your-own-images)"),
    Usage(
        "PyTorch", "7 %", "by an entry in [`local-images.yaml`](local-service.md#your-own-images), which the page gives"
    ),
    Usage("TensorFlow", "5 %", "refused by name"),
    Usage("Clarify and QualityCheck", "5 %", "refused by name"),
    Usage("MLflow apps", "7 %", "refused by name"),
    Usage("BlazingText and other built-in algorithms", "4 %", "refused by name"),
    Usage("Callback steps", "0 %", "there"),
)


def section() -> str:
    """Return the section as Markdown."""
    return _SHAPE.format(habits=_rows(HABITS), features=_rows(FEATURES))


def _rows(usages: tuple[Usage, ...]) -> str:
    return "\n".join(f"| {each.what} | {each.share} | {each.here} |" for each in usages)
