"""make clean-local: delete all runs of this folder but the newest KEEP, and the Python environments of images.

A run is an execution of the local service, whether ``make run``, ``make start`` or a program started it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

from local.app.cleaning import delete_environments, delete_executions, delete_tree, find_executions
from local.app.server import ServiceHeldError
from local.core.settings import ACCOUNT_ID, Settings
from pipeline.errors import UserError
from pipeline.text import number_of
from scripts.command_line import Number, command, option
from scripts.console import console, run
from scripts.run_folders import ROOT, RUNS
from scripts.runs import all_runs

_BYTES = 1_000_000


@command("clean-local")
@option(
    "--keep",
    variable="KEEP",
    type=Number(min=0),
    metavar="number",
    required=True,
    help="How many runs to keep, the newest; 0 deletes all.",
)
def main(keep: int) -> int:
    """Delete old runs with their objects and logs, and environments of images; print how much space that freed."""
    settings = Settings(root=ROOT.absolute())
    try:
        times = find_executions(settings) | {each.execution_id: each.time for each in all_runs()}
        newest = sorted(times, key=lambda name: times[name], reverse=True)
        kept, old = set(newest[:keep]), set(newest[keep:])
        freed = delete_executions(settings, old)
        freed += delete_environments(settings)
    except ServiceHeldError as error:
        raise UserError(f"Nothing was deleted. {error}.") from None
    # A run's folder last: if this is interrupted, the next time deletes what is left.
    freed += sum(map(delete_tree, _folders(old, kept)))
    console.print(
        f"Deleted {number_of(len(old), 'run')} and freed {freed / _BYTES:.1f} MB; {number_of(len(kept), 'run')} kept."
    )
    return 0


def _folders(old: Set[str], kept: Set[str]) -> Iterator[Path]:
    """Yield the folders of old runs, and those that have nothing but a page about an execution that is gone."""
    for folder in RUNS.glob("*/"):
        page = folder / "report.html"
        if folder.name in old or (folder.name not in kept and page.is_file() and _is_of_local_service(page)):
            yield folder


def _is_of_local_service(page: Path) -> bool:
    """Return whether a page is about an execution of the local service; make report draws pages on AWS, too."""
    return f":{ACCOUNT_ID}:pipeline/".encode() in page.read_bytes()


if __name__ == "__main__":
    run(main)
