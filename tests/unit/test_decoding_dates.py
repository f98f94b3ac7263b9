"""Which dates are days that there are."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwr.decoding.dates import date_in_comb, date_of
from hwr.decoding.fields import COMB_FIELDS, FIELDS

WAYS = (
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d.%m.%y",
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d %B %Y",
    "%b %d, %Y",
    "le %d %B %Y",
    "%d-%b-%Y",
    "%d/%b/%y",
)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(WAYS))
def test_every_day_exists_however_it_is_written(day: date, way: str) -> None:
    assert date_of(day.strftime(way)) is not None


@given(
    st.dates(date(1900, 1, 1), date(2099, 12, 31)),
    st.sampled_from(("%d%m%Y", "%m%d%Y", "%Y%m%d")),
)
def test_eight_figures_are_a_date_in_a_comb_alone(day: date, way: str) -> None:
    text = day.strftime(way)
    assert COMB_FIELDS["comb:date"].holds(text)
    assert date_in_comb(text) is not None
    assert not FIELDS["date"].holds(text)


@pytest.mark.parametrize("text", ["29022023", "31042024", "02302024", "1402024", "14/02/2024"])
def test_what_is_no_day_does_not_exist_in_a_comb(text: str) -> None:
    assert date_in_comb(text) is None


@given(st.integers(1, 9999), st.integers(1, 12), st.integers(1, 31))
def test_what_no_calendar_has_does_not_exist(year: int, month: int, day: int) -> None:
    assert (date_of(f"{year:04}-{month}-{day}") is not None) == (day <= monthrange(year, month)[1])


@pytest.mark.parametrize(
    "text",
    [
        *("31/02/2024", "29/02/2023", "02/30/2024", "31/04/24", "2023-02-29", "1900-02-29"),
        *("31 April 2024", "February 30, 2024", "le 31 juin 2024"),
        *("01/01/0000", "31 SEPT. 2024"),
    ],
)
def test_a_day_that_no_calendar_has_is_held_as_written_and_does_not_exist(text: str) -> None:
    assert FIELDS["date"].holds(text)
    assert date_of(text) is None


@pytest.mark.parametrize("text", ["29/02/2024", "29/02/24", "29/02/00", "Feb 29, 2000"])
def test_a_leap_day_exists_where_its_year_may_be_one(text: str) -> None:
    assert date_of(text) is not None


@pytest.mark.parametrize("text", ["", "32/01/2024", "February", "1 2 3"])
def test_what_is_no_date_does_not_exist(text: str) -> None:
    assert date_of(text) is None
