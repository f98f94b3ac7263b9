"""Which texts a field holds, and which beginnings it lets live."""

import re
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hwr.decoding import amounts
from hwr.decoding.fields import FIELDS, Lexicon
from hwr.errors import DecoderError

HELD = {
    "digits": ["0", "42", "12 345", "0 0 7"],
    "amount": [
        "7",
        "$5",
        "$ 1,250.00",
        "1.234,56 €",
        "**250.00**",
        "£12",
        "100.-",
        "12 50/100",
        "99/-",
        "#1'000#",
        "125=",
        "2,381.68",
        "1 234,50",
        "12.345.678,90",
        "1'234.50 €",
        "1,250 50/100",
        "1.250,-",
        "12,34,567.89",
        "Rs. 1,00,000/-",
        "chf 1'234.50",
        "$**12.00**",
        "$12.00 USD",
        "1,234 no/100",
        "1,234 xx/xx",
    ],
    "amount-in-words": [
        "Two thousand three hundred four and 31/100",
        "FORTY-TWO AND 50/100 DOLLARS",
        "One hundred and fifty pounds only",
        "**fifteen hundred & no/100 ----",
        "five dollars and twenty cents",
        "Fourty two",
        "Deux mille trois cent quatre et 31/100",
        "quatre-vingt-dix-sept euros et 20 centimes",
        "Mille deux cents euros",
        "Two crore fifty lakh rupees only",
        "A HUNDRED DOLLARS",
    ],
    "date": [
        "1/2/1999",
        "31.12.24",
        "12-25-2020",
        "2024-02-29",
        "3 March 2021",
        "July 4, 1976",
        "1er août 1914",
        "JANUARY 2nd, 24",
        "14 juil. 89".replace("juil.", "juillet"),
        "02 04 95",
        "31/02/2024",
        "2024/02/14",
        "le 3 mars 2024",
        "Le 03/04/2024",
    ],
    "capitals": ["DUPONT", "O'NEIL", "ST. JOHN", "ÉLOÏSE", "FLAT 3-B, MAIN ST."],
}
REFUSED = {
    "digits": ["", " ", "1a", "12 ", "1  2", "-1"],
    "amount": [
        *("", "$", "1,25.00", "12.345.6", "1 0", "five", "$$5", "1/2"),
        *("2,381,68", "2.381.68", "1,234.567", "1'234,567.00", "1 234'567"),
    ],
    "amount-in-words": [
        *("", "and", "dollars", "hundred three", "two two", "12", "thousand five", "no and"),
        *("forty-two thousand six million", "vingt cent", "five 31/1000", "two hundred six and"),
    ],
    "date": [
        *("", "32/1/2000", "1/13/2000".replace("1/13", "13/13"), "1/2", "March", "3 Marsh 2020"),
        *("2024/02-14", "20042024", "le March 3, 2024"),
    ],
    "capitals": ["", "Dupont", "A  B", " A", "A ", "ÉLOïSE"],
}


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in HELD.items() for t in ts])
def test_a_field_holds(name: str, text: str) -> None:
    field = FIELDS[name]
    assert field.holds(text)
    assert all(field.begins(beginning) for beginning in accumulate(text, initial=""))
    assert set(text) <= field.characters


@pytest.mark.parametrize(("name", "text"), [(n, t) for n, ts in REFUSED.items() for t in ts])
def test_a_field_refuses(name: str, text: str) -> None:
    assert not FIELDS[name].holds(text)


@pytest.mark.parametrize("text", ["2,381,68.", "2.381.68,", "1'234,5670", "1 234'", "1,234.567"])
def test_an_amount_cannot_even_begin_with_two_uses_of_a_sign(text: str) -> None:
    assert not FIELDS["amount"].begins(text)


def test_each_language_of_amounts_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = set()
    compile_one = regex.compile

    def counted(expression: str, flags: int) -> "regex.Pattern[str]":
        compiled.add(expression)  # the package remembers equal ones
        return compile_one(expression, flags)

    monkeypatch.setattr(regex, "compile", counted)
    amounts._compiled.cache_clear()
    field = replace(FIELDS["amount-in-words"])
    assert field.holds("two hundred and 6/100")
    assert field.meaning("two hundred and 6/100") == 20_006
    assert len([one for one in compiled if "hundred" in one and "and|&" in one]) == 1
    assert len([one for one in compiled if "quatre" in one and "centimes" in one]) == 1


@given(st.sampled_from(sorted(FIELDS)), st.text("0123456789$,./- AaMarchÉ", max_size=9))
def test_what_cannot_begin_holds_nothing(name: str, text: str) -> None:
    field = FIELDS[name]
    dead = [b for b in accumulate(text, initial="") if not field.begins(b)]
    assert not (dead and field.holds(text))


def test_a_lexicon_knows_its_words_in_three_cases() -> None:
    lexicon = Lexicon(["ten", "tenth", "Île"])
    held = ["ten", "Ten", "TENTH", "ten tenth", "Île", "ÎLE ten"]
    assert all(lexicon.holds(text) for text in held)
    assert all(lexicon.begins(b) for text in held for b in accumulate(text, initial=""))
    assert not any(map(lexicon.holds, ["", "te", "ten ", "tenTH", "tens"]))
    assert not any(map(lexicon.begins, [" ", "ten  ", "te ", "x", "tents"]))
    assert lexicon.characters >= set("Tenth ÎLE")


@pytest.mark.parametrize("content", [b"", b" \n ", b"\xff\xfe", b"x" * 101, b"a\n" * 9_000_000])
def test_a_bad_lexicon_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(DecoderError, match=re.escape(str(path))):
        Lexicon.load(path)


def test_a_missing_lexicon_is_named(tmp_path: Path) -> None:
    with pytest.raises(DecoderError, match=r"gone\.txt"):
        Lexicon.load(tmp_path / "gone.txt")
