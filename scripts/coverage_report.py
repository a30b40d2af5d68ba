"""make coverage: what the tests ran of each folder, and the files of which they ran too little."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coverage import Coverage
from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipeline.errors import UserError
from scripts.command_line import command
from scripts.console import console, run

ENOUGH_PERCENT = 80


@dataclass(frozen=True)
class Covered:
    """How many statements of a file or folder there are, and how many of them no test ran."""

    name: str
    statements: int
    missed: int

    @property
    def percent(self) -> float:
        """Percentage of statements that were run; a file without statements is covered."""
        return 100 * (1 - self.missed / self.statements) if self.statements else 100.0


@command("coverage")
def main() -> int:
    """Print the coverage of each folder from the data that the tests left, and of the files with too little."""
    files = measured_files()
    if not files:
        raise UserError("There is nothing to report: 'make coverage' runs the tests first.")
    console.print(_table("Folder", [*by_folder(files), _sum("all", files)]))
    low = sorted((file for file in files if file.percent < ENOUGH_PERCENT), key=lambda file: file.percent)
    if low:
        console.print(_table(f"Under {ENOUGH_PERCENT} %", low))
    console.print("Code that tests run in another process, such as Spark's workers, counts as not run.")
    return 0


def measured_files() -> list[Covered]:
    """Return the coverage of every file, by its path under the project's folder."""
    data = Coverage()
    data.load()
    found = []
    for path in sorted(data.get_data().measured_files()):
        _, statements, _, missing, _ = data.analysis2(path)
        found.append(Covered(Path(path).relative_to(Path.cwd()).as_posix(), len(statements), len(missing)))
    return found


def by_folder(files: list[Covered]) -> list[Covered]:
    """Return the coverage of each top-level folder."""
    folders = sorted({file.name.partition("/")[0] for file in files})
    return [_sum(f"{folder}/", [file for file in files if file.name.startswith(f"{folder}/")]) for folder in folders]


def _sum(name: str, files: list[Covered]) -> Covered:
    return Covered(name, sum(file.statements for file in files), sum(file.missed for file in files))


def _table(title: str, rows: list[Covered]) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column(title, overflow="fold")
    for heading in ("Statements", "Not run", "Covered"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(row.name, str(row.statements), str(row.missed), f"{row.percent:.0f} %")
    return table


if __name__ == "__main__":
    run(main)
