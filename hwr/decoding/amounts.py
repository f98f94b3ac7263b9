"""Amounts of money in figures and in words: how they are written, and what they are worth.

A cheque has both: the courtesy amount in figures, the legal amount in words. The words are English,
with lakhs and crores as in India, or French, with hundredths behind them: "Two thousand three
hundred and 31/100 dollars".

The expressions are verbose ones of the package `regex`, with groups `whole` and `hundredths`.
"""

from functools import cache, lru_cache
from itertools import chain

import regex

_UNITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNITES = "un deux trois quatre cinq six sept huit neuf".split()
_DIX = "dix onze douze treize quatorze quinze seize".split()
_DIZAINES = "vingt trente quarante cinquante soixante septante huitante nonante".split()
#: As many write them.
_MISSPELT_TENS = {"fourty": 40, "ninty": 90}
_MISSPELT_TEENS = {"fourten": 14, "fiveteen": 15, "ninteen": 19}

#: Words that are added up.
_NUMBERS = {
    **dict(zip(chain(_UNITS, _TEENS), range(1, 20), strict=True)),
    **dict(zip(_TENS, range(20, 100, 10), strict=True)),
    **dict(zip(chain(_UNITES, _DIX), range(1, 17), strict=True)),
    **dict(zip(_DIZAINES, range(20, 100, 10), strict=True)),
    **_MISSPELT_TENS,
    **_MISSPELT_TEENS,
    "une": 1,
}
#: Words that make so many times as much of what stands before them.
_HUNDREDS = ("hundred", "cent", "cents")
_LAKH, _CRORE = ("lakh", "lakhs", "lac", "lacs"), ("crore", "crores")
_SCALES = {
    **dict.fromkeys(("thousand", "mille"), 1_000),
    **dict.fromkeys(("million", "millions"), 10**6),
    **dict.fromkeys(_LAKH, 10**5),
    **dict.fromkeys(_CRORE, 10**7),
}
#: French counts by scores from eighty on: quatre-vingt.
_SCORES = ("vingt", "vingts")


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


def _number(below_1000: str, thousands: str, larger: str, joint: str) -> str:
    """Numbers of what is larger than thousands, thousands and the rest, or of less."""
    rest = f"(?:{joint}{below_1000})?"
    return _any(f"{larger}(?:{joint}{thousands})?{rest}", f"{thousands}{rest}", below_1000)


def _english() -> str:
    unit, space, joint = _any(*_UNITS), r"[\ -]", r"(?:,?[\ -](?:(?:and|&)\ )?)"
    tens = _any(*_TENS, *_MISSPELT_TENS)
    below_100 = _any(f"{tens}(?:{space}?{unit})?", *_TEENS, *_MISSPELT_TEENS, unit)
    hundreds = f"{space}hundred(?:{joint}{below_100})?"
    below_1000 = _any(f"{below_100}(?:{hundreds})?", f"a{hundreds}")
    count, lakhs = _any(below_1000, "a"), f"{_any(below_100, 'a')}{space}{_any(*_LAKH)}"
    crores = f"{count}{space}{_any(*_CRORE)}(?:{joint}{lakhs})?"
    larger = _any(f"{count}{space}million", crores, lakhs)
    number = _number(below_1000, f"{count}{space}thousand", larger, joint)
    return _text(number, below_100, r"(?:and|&)", "cents? pence pais[ea]".split())


def _french() -> str:
    unit, space = _any("une", *_UNITES), r"[\ -]"
    teens = _any(*(rf"dix{space}{one}" for one in ("sept", "huit", "neuf")), *_DIX)
    below_100 = _any(
        f"quatre{space}vingts?(?:{space}{_any(teens, unit)})?",
        f"soixante(?:{space}(?:et{space})?{_any(teens, unit)})?",
        f"{_any(*_DIZAINES)}(?:{space}(?:et{space})?{unit})?",
        *(teens, unit),
    )
    below_1000 = _any(f"(?:{unit}{space})?cents?(?:{space}{below_100})?", below_100)
    thousands = f"(?:{below_1000}{space})?mille"
    number = _number(below_1000, thousands, f"{below_1000}{space}millions?", space)
    return _text(number, below_100, "et", ["centimes?", "cts"])


_CURRENCY = (
    r"(?:(?:(?:US|U\.S\.)\ )?(?:dollars?|pounds?(?:\ sterling)?|euros?|francs?|rupees?|rs\.?))"
)
_NOTHING = "(?:no|xx|zero|zéro)"
_GUARD = r"[*\#=-]"


def _text(number: str, below_100: str, joint: str, hundredths: list[str]) -> str:
    """The whole amount, with the currency and hundredths.

    Hundredths in words stand alone or where a currency is named: "five hundred and twenty pence"
    are none. Right behind a currency nothing else can be meant, called so or not.
    """
    currency, guards = rf"(?:\ (?:de\ |d')?{_CURRENCY})", rf"(?:\ {_GUARD}{{1,20}})"
    fraction = rf"(?P<hundredths>\d{{1,2}}|{_NOTHING})\ ?/\ ?(?:100|xx)"
    coins = rf"(?P<hundredths>\d{{1,2}}|{below_100}|{_NOTHING})\ {_any(*hundredths)}"
    figures = rf"(?P<hundredths>\d{{1,2}})\ {_any('cents?', *hundredths)}"
    named = rf"{_any(*hundredths)}\ (?P<hundredths>{below_100})"
    bare = rf"(?P<hundredths>{below_100}|\d{{2}})"
    joined = rf",?\ {joint}\ "
    parts = _any(
        rf"{currency}?(?:{joined}|{guards}?\ ){fraction}{currency}?",
        rf"{currency}?(?:{joined}|\ ){figures}",
        rf"{currency}(?:{joined}|,?\ ){_any(coins, bare)}",
        rf"{currency}?{joined}{named}",
    )
    whole = _any(rf"(?P<whole>{number}){_any(parts, currency)}?", rf"(?P<whole>{_NOTHING}){parts}")
    first = rf"{_CURRENCY}\ (?P<whole>{number}){joined}{coins}"
    none = rf"(?P<whole>zero|nil){currency}?"
    return rf"{_any(whole, first, coins, none)}(?:\ (?:only|even|exactly|seulement))?"


#: What stands before an amount in words.
_HEAD = rf"{_GUARD}{{0,3}} (?:(?:exactly|{_CURRENCY})\ )?"
_TAIL = rf"(?:\ ?{_GUARD}{{1,20}}|\ x{{3,20}})?"
#: Amounts in words, English and French; what guards them against more words may stand around.
#: Compiling one takes a fifth of a second: `regex` remembers each, not one joined of both as well.
WORDS = tuple(f"(?i: {_HEAD} {text} {_TAIL} )" for text in (_english(), _french()))

_COMMAS, _POINTS, _QUOTES, _SPACES = (
    rf"\d{{1,3}}(?:{sign}\d{{3}})+" for sign in (",", r"\.", "'", r"\ ")
)
#: With commas as in India too: 12,34,567.
_COMMAS = _any(_COMMAS, r"\d{1,2}(?:,\d{2})+,\d{3}")
#: Numbers that may have hundredths after a comma or a point.
_PLAIN = rf"(?:{_QUOTES}|{_SPACES}|\d{{1,9}})"
_HUNDREDTHS = r"(?P<hundredths>\d{2})"
_GUARDS = rf"{_GUARD}{{0,3}}"
_CODES = ("usd", "eur", "gbp", "chf", "cad", "aud", "inr", "rs")
#: A currency before or behind figures.
_SIGN = rf"(?:[$£€]|(?i:US|CA?|AU?)\$|(?i:{'|'.join(_CODES)}\.?))"

#: Amounts in figures. Asterisks, number signs, dashes and equals signs guard the figures of a
#: cheque. What parts the thousands parts no hundredths: 2,381,68 is no amount.
FIGURES = rf"""
    {_GUARDS} (?:{_SIGN}\ ?{_GUARDS})?
    (?:
        (?P<whole>{_COMMAS}|{_POINTS}|{_PLAIN})
        (?: \ ?(?:{_HUNDREDTHS}|(?i:no|xx))/(?:100|(?i:xx)) | [.,](?i:xx) | [.,]?[-=]{{1,2}} | /- )?
        | (?P<whole>{_COMMAS})[.-]{_HUNDREDTHS} | (?P<whole>{_POINTS})[,-]{_HUNDREDTHS}
        | (?P<whole>{_PLAIN})(?:[.,=-]|\ ?[$£€]){_HUNDREDTHS} | [.,]{_HUNDREDTHS}
    )
    (?:\ ?{_SIGN})? {_GUARDS}
"""
_LETTERS = "".join(sorted({*"nox", *chain(*_CODES)}))
#: The characters of these beside digits.
FIGURE_SIGNS = f"*#=-$£€ ,.'/{_LETTERS}{_LETTERS.upper()}"

#: The longest first: sixty begins as six does.
_KNOWN = "|".join(sorted((*_NUMBERS, *_HUNDREDS, *_SCALES, *_SCORES), key=len, reverse=True))


# A decoder asks of all that a line may say, and who reads two lines together asks again.
@lru_cache(maxsize=1024)
def worth(text: str) -> int | None:
    """What an amount in figures or in words is worth, in hundredths.

    None where it is no amount, or another one in French than in English: "six cents".
    """
    found = (_compiled(way).fullmatch(text) for way in (FIGURES, *WORDS))
    amounts = {_amount(match) for match in found if match}
    return amounts.pop() if len(amounts) == 1 else None


@cache
def _compiled(expression: str) -> "regex.Pattern[str]":
    return regex.compile(expression, regex.VERBOSE)


def _amount(found: "regex.Match[str]") -> int:
    return 100 * _value(found["whole"]) + _value(found["hundredths"])


def _value(text: str | None) -> int:
    """Of figures or words; of nothing 0."""
    figures = "".join(filter(str.isdecimal, text or ""))
    return int(figures) if figures else _count(text or "")


def _count(words: str) -> int:
    """The number that is said. Other words join these, or say that there is nothing."""
    total = group = 0
    for word in _compiled(_KNOWN).findall(words.lower()):
        if word in _SCORES and group % 100 == 4:
            group += 76
        elif word in _HUNDREDS:
            group = max(group, 1) * 100
        elif scale := _SCALES.get(word):
            total, group = total + max(group, 1) * scale, 0
        else:
            group += _NUMBERS[word]
    return total + group
