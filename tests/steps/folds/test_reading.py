"""Whatever is in a file, the folds hold its rows as the standard library reads them."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.steps.folds.numbers import fields
from tests.steps.folds.reference import encoded

KINDS = ["red", "dark blue", "gr\u00fcn", 'a "b"', "c,d;e"]
NAMES = ["a", "kind", "note", "y"]

number = st.one_of(st.integers(-999, 999).map(str), st.floats(-1e6, 1e6, allow_nan=False).map(repr))
field = st.one_of(number, number, number, fields)
note = st.text('ab ,;"\n\u00fc\t.', max_size=6)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


@st.composite
def files(draw, delimiter: str) -> str:
    """A file without a header, and with whatever may be in one."""

    def written(text: str) -> str:
        must = any(character in text for character in f'{delimiter}"\n')
        return quoted(text) if must or draw(st.integers(0, 9)) == 0 else text

    lines = []
    for _ in range(draw(st.integers(6, 30))):
        kind = draw(st.sampled_from([*KINDS, *KINDS, "other"]))
        row = [written(draw(part)) for part in (field, st.just(kind), note, field)]
        odd = draw(st.integers(0, 19))
        row = row[:-1] if odd == 0 else [*row, "1"] if odd == 1 else row
        lines.append("" if odd == 2 else delimiter.join(row))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data(), delimiter=st.sampled_from([",", ";", "\t"]), encoding=st.sampled_from(["UTF-8", "ISO-8859-1"]))
def test_the_folds_hold_the_rows_that_the_standard_library_reads(fold, data, delimiter, encoding) -> None:
    good = delimiter.join(["1", "red", "n", "2"])
    text = "\n".join([good, good, data.draw(files(delimiter))])
    rows, rejected = encoded(text, NAMES, ["y", "a"], {"kind": KINDS}, delimiter)
    given = {"label": "y", "numeric": ["a"], "categorical": {"kind": KINDS}, "delimiter": delimiter}
    header = delimiter.join(NAMES)
    made = fold(
        {"rows.csv": f"{header}\n{text}".encode(encoding)},
        **given,
        encoding=encoding,
        count=2,
        on_bad_rows="quarantine",
        max_bad_share=1,
    )
    assert Counter(row for test in made.tests() for row in test) == Counter(rows)
    aside = [json.loads(line) for file in made.folder.glob("rejected/*") for line in file.read_text().splitlines()]
    assert [row["line"] for row in aside] == [line + 1 for line in rejected]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_rows_are_the_same_however_small_the_blocks_are(fold, monkeypatch, size) -> None:
    rows = "".join(f'{number},{KINDS[number % 3]},"x;{number}",{number}.5\n' for number in range(300))
    given = {"label": "y", "numeric": ["a"], "categorical": {"kind": KINDS}}
    whole = fold("a,kind,note,y\n" + rows, **given)
    monkeypatch.setattr("folds.judge.BLOCK", size)
    monkeypatch.setattr("folds.judge.SMALLEST_BLOCK", size)
    assert fold("a,kind,note,y\n" + rows, **given).tests() == whole.tests()
