"""Dates: how they are written, and whether there is such a day."""

from calendar import monthrange
from functools import cache

import regex

from hwr.decoding.spelling import forms_of

#: By their names and what these are cut to, in English and French.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier",
            "february feb février fevrier",
            "march mar mars",
            "april apr avril",
            "may mai",
            "june jun juin",
            "july jul juillet",
            "august aug août aout",
            "september sep sept septembre",
            "october oct octobre",
            "november nov novembre",
            "december dec décembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}
_NAMES = "|".join(form for name in _MONTHS for form in forms_of(name))
_NAME = rf"(?P<name>{_NAMES})"
_DAY = r"(?P<day>0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_YEAR = r"(?P<year>\d{4}|\d{2})"
_FULL_YEAR = r"(?P<year>\d{4})"
_SEPARATOR = r"\ ?[-/.\ ]\ ?"
_LE = r"(?:(?:[Ll]e|LE)\ )?"

#: A verbose expression of the package `regex`.
DATES = rf"""
    (?: {_LE}{_DAY}{_SEPARATOR}{_MONTH} | {_MONTH}{_SEPARATOR}{_DAY} ){_SEPARATOR}{_YEAR}
    | {_FULL_YEAR}(?P<sign>[-/.]){_MONTH}(?P=sign){_DAY}
    | {_LE}{_DAY}(?:st|nd|rd|th|er)?\ {_NAME}[.,]?\ {_YEAR}
    | {_DAY}(?P<sign>[-/]){_NAME}(?P=sign){_YEAR}
    | {_NAME}\.?\ {_DAY}(?:st|nd|rd|th)?,?\ {_YEAR}
"""
#: One figure to a box, as DDMMYYYY: only there, for elsewhere eight figures are any number.
COMB_DATES = "|".join(
    rf"(?:{order})"
    for order in (
        r"(?P<day>0[1-9]|[12]\d|3[01])(?P<month>0[1-9]|1[0-2])(?P<year>\d{4})",
        r"(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])(?P<year>\d{4})",
        r"(?P<year>\d{4})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12]\d|3[01])",
    )
)
#: The characters of dates beside digits.
DATE_SIGNS = "".join(sorted(set(" -/.,stndrdtherLle" + _NAMES.replace("|", ""))))


#: Day, month and year as they are written.
Date = tuple[int, int, str]


def date_of(text: str) -> Date | None:
    """The day of a date; None where no calendar has it, for two figures of a year in no century."""
    found = _compiled(DATES).fullmatch(text)
    if found is None:
        return None
    month = _MONTHS[found["name"].lower()] if found["name"] else int(found["month"])
    return _date(found, month)


def date_in_comb(text: str) -> Date | None:
    """The same of a date in eight figures without separators."""
    found = _compiled(COMB_DATES).fullmatch(text)
    return _date(found, int(found["month"])) if found else None


def _date(found: "regex.Match[str]", month: int) -> Date | None:
    # Where any century has the day, that of 2000 has it: 2000 itself was a leap year.
    day, year = int(found["day"]), int(found["year"]) + 2000 * (len(found["year"]) == 2)
    return (day, month, found["year"]) if year and day <= monthrange(year, month)[1] else None


@cache
def _compiled(expression: str) -> "regex.Pattern[str]":
    return regex.compile(expression, regex.VERBOSE)
