"""make clean-local: delete all runs of this folder but the newest KEEP, and the Python environments of images."""

from __future__ import annotations

from local.app.cleaning import delete_environments, delete_executions, delete_tree
from local.app.server import ServiceHeldError
from local.core.settings import Settings
from pipeline.errors import UserError
from pipeline.text import number_of
from scripts.command_line import Number, command, option
from scripts.console import console, run
from scripts.run_folders import ROOT
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
    kept, old = (runs := all_runs())[:keep], runs[keep:]
    settings = Settings(root=ROOT.absolute())
    try:
        freed = delete_executions(settings, {each.execution_id for each in old}) if old else 0
        freed += delete_environments(settings)
    except ServiceHeldError as error:
        raise UserError(f"Nothing was deleted. {error}.") from None
    # A run's folder last: if this is interrupted, the next time deletes what is left.
    freed += sum(delete_tree(each.folder) for each in old)
    console.print(
        f"Deleted {number_of(len(old), 'run')} and freed {freed / _BYTES:.1f} MB; {number_of(len(kept), 'run')} kept."
    )
    return 0


if __name__ == "__main__":
    run(main)
