"""Draws the charts of the page of make report, for an execution's results."""

from __future__ import annotations

from typing import Any, cast

from pipeline.report.evidence import read_evidence
from pipeline.report.section import Section
from pipeline.report.sections import sections_of
from studio.aws import Aws
from studio.executions import Execution
from studio.results import NoResultsError, collect, only_sentences


def read_charts(aws: Aws, execution: Execution) -> tuple[list[Section], str]:
    """Read what the charts need, and draw them.

    It is at most two dozen calls, two more for each fold, and 64 for predictions out of fold of more than 8 MB.

    Returns:
        The sections of the page of make report that have charts or say what is missing; and why there are none.
    """
    try:
        with only_sentences():
            state, found = collect(aws, execution)
            # Of a session, it needs the clients only.
            sections = sections_of(read_evidence(cast("Any", aws), state, found))
    except NoResultsError as error:
        return [], str(error)
    return [each for each in sections if each.figures or each.missing], ""
