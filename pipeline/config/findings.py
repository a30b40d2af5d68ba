"""Says what is worth a look in a file: what is set aside, and what a model could not use well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from pipeline.config.choices import counts_rows, has_name_of_identifier
from pipeline.config.class_findings import class_findings, two_valued
from pipeline.config.column_counts import MOST_COUNTED, Column
from pipeline.config.delimited import numbers_among
from pipeline.config.extremes import of_extremes
from pipeline.config.missing_marks import nearly_all
from pipeline.config.models import Config
from pipeline.config.number_texts import FORMATTED_IN_WORDS, WITHOUT_FORMAT
from pipeline.config.profile import Profile, header_again
from pipeline.config.roles import IGNORED, Role
from pipeline.config.stop_reasons import bad_rows, stop_reasons
from pipeline.text import number_of, shortened, some_of

_RARE_SHARE, _RARE_ROWS = 0.01, 10
_FEWEST_IDENTIFIERS, _NEARLY_ALL = 20, 0.95
_SHOWN_COLUMNS, _SHOWN_VALUES, _SHOWN_CHARACTERS = 6, 4, 30


def findings(profile: Profile, roles: Mapping[str, Role], config: Config | None) -> Iterator[str]:
    """Yield a sentence for each finding; one sentence names all columns that have it.

    Args:
        profile: the file.
        roles: the roles of its columns by name.
        config: the configuration, if there is one.
    """
    if not profile.is_decoded:
        yield f"The file has bytes that are not {profile.form.encoding}. They are shown as \ufffd."
    if repeated := [name for name, times in Counter(column.name for column in profile.columns).items() if times > 1]:
        yield f"The header names a column twice: {some_of(repeated, _SHOWN_COLUMNS)}."
    if config is None and (numbers := numbers_among(column.name for column in profile.columns)):
        listed = some_of(numbers, _SHOWN_COLUMNS)
        yield f"Columns with numbers for names, {listed}: if the first line is a row, add a header."
    if profile.misfits:
        yield _of_misfits(profile)
    if profile.repeats:
        is_set_aside = config is not None and config.folds.on_bad_rows == "quarantine"
        advice = "" if is_set_aside else ": delete it there, or set such rows aside with folds.on_bad_rows: quarantine"
        yield f"{header_again(profile)}{advice}."
    if config is not None and profile.bad and not list(stop_reasons(profile, config)):
        yield f"{bad_rows(profile)}. MakeFolds sets them aside, in rejected/."
    if profile.rows:
        yield from _of_label(profile, roles, config)
        yield from _of_values(profile, roles)
        yield from _of_strays(profile, roles, config)
        yield from _of_mixed(profile, roles)
        yield from _of_columns(profile, roles)


def _of_misfits(profile: Profile) -> str:
    example = ""
    if (first := profile.first_misfit) is not None:
        fields, columns = number_of(len(first.fields), "field"), number_of(len(profile.columns), "column")
        example = f" Line {first.line} has {fields} in {columns}."
    return f"Rows with too few or too many fields, which are not counted above: {profile.misfits}.{example}"


def _of_label(profile: Profile, roles: Mapping[str, Role], config: Config | None) -> Iterator[str]:
    label = next((column for column in profile.columns if roles.get(column.name, IGNORED).name == "label"), None)
    if label is None or not label.known:
        return
    if roles[label.name].values is None:
        yield from two_valued(label)
        yield from of_extremes(label, profile)
    else:
        yield from class_findings(label, profile, roles, config)


def _of_values(profile: Profile, roles: Mapping[str, Role]) -> Iterator[str]:
    texts: list[str] = []
    undeclared: list[str] = []
    absent: list[str] = []
    dates: list[str] = []
    rare: list[str] = []
    for column in profile.columns:
        role = roles.get(column.name, IGNORED)
        if role.needs_numbers and column.numbers < column.known:
            texts.append(f"{column.name} ({column.known - column.numbers}, for example {_short(column.other)})")
        if role.above is not None and column.lowest <= role.above:
            yield f"The label has values of {role.above:g} or less, for which there is no log1p."
        if role.name == "date" and column.wrong:
            dates.append(f"{column.name} ({column.wrong}, for example {_short(column.first_wrong)})")
        if role.name != "categorical":
            continue
        if role.values is not None:
            declared = set(role.values)
            if not role.has_other:
                undeclared += _counted(column, [value for value in column.counts if value not in declared])
            if column.is_counted and (unseen := [value for value in role.values if value not in column.counts]):
                absent.append(f"{column.name}: {some_of(map(_short, unseen), _SHOWN_VALUES)}")
        if column.is_counted:
            limit = max(_RARE_ROWS, _RARE_SHARE * column.known)
            rare += _counted(column, [value for value, count in column.counts.items() if count < limit])
    yield from _sentence("Values that are not numbers", texts)
    yield from _sentence("Values that are no dates in the declared format", dates)
    yield from _sentence("Values that dataset.categorical does not declare, with their rows", undeclared)
    yield from _sentence("Values that are declared, and not in the file", absent)
    yield from _sentence(f"Rare values, in under {_RARE_SHARE:.0%} or under {_RARE_ROWS} of the rows", rare)


def _of_strays(profile: Profile, roles: Mapping[str, Role], config: Config | None) -> Iterator[str]:
    """Yield sentences about texts among numbers or dates, which may stand for missing values."""
    if config is None:
        taken = [
            f"{each.name} ({nearly_all('dates' if each.has_dates else 'numbers', each.known, each.taken_as_missing)})"
            for each in profile.columns
            if each.taken_as_missing
        ]
        yield from _sentence("Nearly all are numbers or dates, the rest is taken as missing: check that", taken)
        return
    strays = [
        f"{each.name} ({nearly_all('dates' if each.has_dates else 'numbers', each.known - rows, each.strays)})"
        for each in profile.columns
        if roles.get(each.name, IGNORED).name != "categorical" and (rows := sum(each.strays.values()))
    ]
    yield from _sentence(
        "Nearly all are numbers or dates; if the rest is missing: dataset.missing_values, dataset.missing", strays
    )


def _of_mixed(profile: Profile, roles: Mapping[str, Role]) -> Iterator[str]:
    """Yield a sentence about columns of numbers that other texts keep from being one."""
    mixed = [
        f"{each.name} ({each.numbers} of {each.known}, others such as {_short(each.other)})"
        for each in profile.columns
        if roles.get(each.name, IGNORED).name == "ignored" and _is_mixed(each)
    ]
    yield from _sentence("Unused for the texts among the numbers; correct them", mixed)


def _is_mixed(column: Column) -> bool:
    return column.known / 2 < column.numbers < column.known and not column.strays


def _of_columns(profile: Profile, roles: Mapping[str, Role]) -> Iterator[str]:
    others = [column for column in profile.columns if roles.get(column.name, IGNORED).name != "label"]
    yield from _sentence("Without any value", [column.name for column in others if not column.known])
    yield from _sentence("Constant", [column.name for column in others if column.known and column.distinct == 1])
    yield from _sentence("Different in nearly every row, as identifiers are", map(_name, filter(_identifies, others)))
    unused = [column for column in others if roles.get(column.name, IGNORED).name != "date"]
    dates = [column.name for column in unused if column.has_dates]
    yield from _sentence("Dates, for which there is dataset.dates", dates)
    months = [f"{each.name} ({_short(each.other)})" for each in unused if each.has_month_names]
    yield from _sentence("Dates with names of months; write them as 2022-03-28 in the file", months)
    commas = [column.name for column in profile.columns if column.has_decimal_commas]
    yield from _sentence("Numbers with a decimal comma, for which there is dataset.decimal", commas)
    signs = [f"{each.name} ({_short(each.first_formatted)})" for each in profile.columns if each.is_formatted]
    yield from _sentence(f"Texts that look like {FORMATTED_IN_WORDS}; {WITHOUT_FORMAT}", signs)


def _identifies(column: Column) -> bool:
    if (
        column.known < _FEWEST_IDENTIFIERS
        or column.strays
        or _is_mixed(column)
        or column.has_month_names
        or column.has_dates
        or column.decimal_commas + column.formatted > column.known / 2
    ):
        return False
    if column.numbers == column.known and not (column.is_integer and has_name_of_identifier(column)):
        return counts_rows(column)
    return column.distinct > _NEARLY_ALL * column.known


def _counted(column: Column, values: Iterable[str]) -> Iterator[str]:
    """Yield the column with the most frequent of some values and their counts, if there are any."""
    counted = sorted(((column.counts[value], value) for value in values), key=lambda each: -each[0])
    if not column.is_counted:
        yield f"{column.name}: it has more than {MOST_COUNTED} values"
    elif counted:
        yield f"{column.name}: " + some_of((f"{_short(value)} ({count})" for count, value in counted), _SHOWN_VALUES)


def _sentence(start: str, items: Iterable[str]) -> Iterator[str]:
    listed = list(items)
    if listed:
        between = "; " if any(": " in item for item in listed) else ", "
        yield f"{start}: {some_of(listed, _SHOWN_COLUMNS, between=between)}."


def _short(text: str) -> str:
    return repr(shortened(text, _SHOWN_CHARACTERS))


def _name(column: Column) -> str:
    return column.name
