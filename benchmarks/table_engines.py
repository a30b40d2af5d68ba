"""The same split with Polars and DuckDB on one machine. Each writes all rows in the folders layout.

Lines are one column of text, which is the fastest and checks nothing. ``polars-typed`` reads numbers, as make_folds.py
insists on; it writes them anew.

Run: ``python -m benchmarks.table_engines polars|polars-typed|duckdb <file> <folder>``.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDS = 5
_SEED = 42
_NO_DELIMITER = "\x01"


def with_polars(source: Path, target: Path, *, typed: bool) -> None:
    """Split with Polars, in memory."""
    import polars as pl  # noqa: PLC0415 - so that only the measured engine is imported

    separator = "," if typed else _NO_DELIMITER
    rows = pl.read_csv(source, has_header=False, separator=separator, quote_char=None, infer_schema=typed)
    folds = pl.int_range(len(rows), dtype=pl.UInt32, eager=True).shuffle(_SEED) % FOLDS
    for fold in range(FOLDS):
        for name, chosen in (("test", folds == fold), ("train", folds != fold)):
            folder = _folder(target, fold, name)
            rows.filter(chosen).write_csv(folder / "part.csv", include_header=False, quote_style="never")


def with_duckdb(source: Path, target: Path) -> None:
    """Split with DuckDB."""
    import duckdb  # noqa: PLC0415

    database = duckdb.connect()
    database.execute(
        "create table rows as select line, row_number() over (order by hash(number + ?)) % ? as fold from ("
        "  select column0 as line, row_number() over () as number from read_csv(?, header=false, delim=?, quote='',"
        "  escape='', columns={'column0': 'varchar'}))",
        [_SEED, FOLDS, str(source), _NO_DELIMITER],
    )
    for fold in range(FOLDS):
        for name, comparison in (("test", "="), ("train", "<>")):
            file = _folder(target, fold, name) / "part.csv"
            database.execute(
                f"copy (select line from rows where fold {comparison} {fold}) "  # noqa: S608 - of numbers and a path
                f"to '{file}' (format csv, header false, delim '{_NO_DELIMITER}', quote '', escape '')"
            )


def _folder(target: Path, fold: int, name: str) -> Path:
    folder = target / f"vc{fold + 1}" / name
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    engine, *paths = sys.argv[1:]
    if engine == "duckdb":
        with_duckdb(*map(Path, paths))
    else:
        with_polars(*map(Path, paths), typed=engine == "polars-typed")
