"""What amounts are worth, in figures and in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwr.decoding.amounts import worth
from hwr.samples.text import courtesy_amount, legal_amount

WORTH = {
    "1,250.00": 125_000,
    "1.234,56 €": 123_456,
    "$ 1'234.50": 123_450,
    "1 234": 123_400,
    "1.234": 123_400,
    "**12 50/100**": 1_250,
    "125.-": 12_500,
    "99/-": 9_900,
    "125 €50": 12_550,
    "£125=50": 12_550,
    "125.xx": 12_500,
    "US$125.50": 12_550,
    "one hundred and 50/100 dollars exactly": 10_050,
    "one hundred dollars xxxx": 10_000,
    "one hundred and fifty only": 15_000,
    "fifteen hundred dollars and no/100": 150_000,
    "Two million thirty thousand and five": 203_000_500,
    "twentyone and xx/100 ----": 2_100,
    "Ninety-nine & 05/100": 9_905,
    "fourty pounds and twenty pence": 4_020,
    "five dollars and 7 cents": 507,
    "ZERO AND 50/100": 50,
    "six": 600,
    "deux mille trois cent quatre et 31/100": 230_431,
    "Quatre-vingt-dix-sept euros et vingt centimes": 9_720,
    "mille deux cents": 120_000,
    "cent quatre-vingts francs": 18_000,
    "soixante et onze": 7_100,
    "vingt-quatre mille vingt": 2_402_000,
    "Forty-two ---- 50/100": 4_250,
    "Exactly one thousand five-hundred, and 5/100": 150_005,
    "Rupees five thousand only": 500_000,
    "Twenty five cents": 25,
    "six cents dollars": 60_000,
    "Six dollars and six cents": 606,
    "quatre vingt centimes": 80,
    "Un million de francs": 100_000_000,
    "125-00": 12_500,
    "$.99": 99,
    "trois millions quatre cent mille": 340_000_000,
    "1,00,000.00": 10_000_000,
    "12,34,567.89": 123_456_789,
    "2,50,00,000": 2_500_000_000,
    "Rs. 1,234/-": 123_400,
    "EUR 1.234,56": 123_456,
    "CHF 1'234.50": 123_450,
    "$12.00 USD": 1_200,
    "$**1,250.00**": 125_000,
    "£1,234-56": 123_456,
    "1.234-56": 123_456,
    "1,234 no/100": 123_400,
    "1,234 XX/100": 123_400,
    "1,234 45/100": 123_445,
    "One lakh only": 10_000_000,
    "Twelve lakh thirty-four thousand five hundred and 89/100": 123_450_089,
    "mille euros cinquante": 100_050,
    "cent vingt euros 50": 12_050,
    "Deux mille euros et 50 cts": 200_050,
    "one hundred dollars and fifty": 10_050,
    "Rs. one lakh and fifty paise only": 10_000_050,
    "Rupees five hundred and twenty paise only": 50_020,
    "Rupees twelve thousand and paise fifty only": 1_200_050,
    "Five hundred dollars and cents twenty only": 50_020,
    "Rupees twenty five paise": 25,
    "Two crore fifty lakhs rupees": 2_500_000_000,
    "five crore and two": 5_000_000_200,
    "a hundred dollars": 10_000,
    "A thousand and five": 100_500,
    "a lakh": 10_000_000,
    "Nil": 0,
    "zero": 0,
}


@pytest.mark.parametrize(("text", "hundredths"), WORTH.items())
def test_an_amount_is_worth(text: str, hundredths: int) -> None:
    assert worth(text) == hundredths


@given(st.integers(0, 99_999_999), st.sampled_from([str, str.upper, str.title]))
def test_figures_and_words_of_an_amount_are_worth_it(cents: int, cased: type[str]) -> None:
    assert worth(courtesy_amount(cents)) == worth(cased(legal_amount(cents))) == cents


@pytest.mark.parametrize(
    "text",
    [
        *("", "2,381,68", "12/5/24", "hundred", "two two", "Miller and 5", "no"),
        *("1,00,00", "1,000,00,000", "12.34.567", "USD", "12 US", "1,234 no", "lakh", "a six"),
        *("a lakh a crore", "one lakh lakh"),
    ],
)
def test_what_is_no_amount_is_worth_nothing_known(text: str) -> None:
    assert worth(text) is None


@pytest.mark.parametrize("text", ["six cents", "five hundred and twenty pence"])
def test_what_may_be_two_amounts_is_worth_none(text: str) -> None:
    assert worth(text) is None


@given(st.text("0123456789,.'$/*- ", max_size=12) | st.text(max_size=12))
def test_any_text_is_an_amount_or_none(text: str) -> None:
    assert (worth(text) or 0) >= 0
