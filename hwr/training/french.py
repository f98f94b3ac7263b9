"""French text to draw: words by frequency, dates and amounts in words."""

from calendar import monthrange
from functools import cache
from random import Random

from hwr.model.alphabet import DEFAULT_CHARACTERS
from hwr.training.texts import frequent

_MONTHS = (
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
).split()
_DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
_ONES = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
    " dix-sept dix-huit dix-neuf"
).split()
_TENS = "_ _ vingt trente quarante cinquante soixante soixante quatre-vingt quatre-vingt".split()
#: Words that lose their vowel before another's, which the list of frequencies has on their own.
_ELIDED = frozenset("l d qu c s n j m t jusqu lorsqu puisqu".split())
#: What that list has of words with an apostrophe inside.
_STUMPS = frozenset("aujourd hui quelqu entr presqu".split())
_VOWELS = frozenset("aàâäeéèêëiîïoôöuùûühœæ")
_CURRENCIES = (" franc", " franc", " euro", " fr.", "")


@cache
def _words() -> tuple[tuple[str, ...], tuple[float, ...]]:
    writable = set(DEFAULT_CHARACTERS)
    return frequent(
        "fr", lambda word: word.isalpha() and word not in _STUMPS and writable.issuperset(word)
    )


def words(rng: Random, count: int) -> list[str]:
    """`count` lower-case French words, elided ones among them where a vowel follows."""
    names, cumulative = _words()
    found: list[str] = []
    elided = ""
    while len(found) < count:
        (word,) = rng.choices(names, cum_weights=cumulative)
        if word in _ELIDED:
            elided = f"{word}'"
            continue
        found.append(elided + word if word[0] in _VOWELS else word)
        elided = ""
    return found


def sentence(rng: Random) -> str:
    """A run of words with capitals and punctuation as running text has them."""
    parts = words(rng, rng.randint(1, 10))
    if rng.random() < 0.5:
        parts[0] = parts[0].capitalize()
    for index in range(len(parts)):
        chance = rng.random()
        if chance < 0.12:
            parts[index] += rng.choice((",", ",", ",", ".", ";", " ;", " :", " !", " ?"))
        elif chance < 0.17:
            parts[index] = parts[index].capitalize()
        elif chance < 0.2:
            parts[index] = str(rng.randint(0, 10 ** rng.randint(1, 4)))
        elif chance < 0.22:
            parts[index] = rng.choice(["« {} »", "({})"]).format(parts[index])
    return " ".join(parts) + rng.choice(["", "", ".", ",", " ?", "-"])


def number_words(value: int) -> str:
    """`value` below a million in French words, as before the reform of 1990."""
    text = _invariable(value)
    # Only what ends a number has the plural: quatre-vingts, deux cents, but deux cent mille.
    plural = value % 100 == 80 or (value % 100 == 0 and value % 1000 > 100)
    return f"{text}s" if plural else text


def _invariable(value: int) -> str:
    if value >= 1000:
        return _counted(value, 1000, "mille")
    if value >= 100:
        return _counted(value, 100, "cent")
    if value < 20:
        return _ONES[value]
    tens, ones = divmod(value, 10)
    if tens in (7, 9):
        ones += 10
    if ones == 0:
        return _TENS[tens]
    link = " et " if ones in (1, 11) and tens < 8 else "-"
    return f"{_TENS[tens]}{link}{_ONES[ones]}"


def _counted(value: int, size: int, unit: str) -> str:
    count, rest = divmod(value, size)
    before = f"{_invariable(count)} " if count > 1 else ""
    return before + unit + (f" {_invariable(rest)}" if rest else "")


def amount_in_words(rng: Random) -> str:
    """An amount as a cheque or a deed spells it."""
    value, unit = rng.randint(1, 10 ** rng.randint(1, 6) - 1), rng.choice(_CURRENCIES)
    plural = "s" if value > 1 and unit[-1:].isalpha() else ""
    text = number_words(value) + unit + plural
    return text.capitalize() if rng.random() < 0.5 else text


def date(rng: Random) -> str:
    """A date as letters and registers have it."""
    year, number = rng.randint(1790, 2030), rng.randint(1, 12)
    day, month = rng.randint(1, monthrange(year, number)[1]), _MONTHS[number - 1]
    first = "1er" if day == 1 else str(day)
    forms = ("{d} {M} {y}", "le {d} {M} {y}", "{D} {d} {M}", "{d} {M}", "Paris, le {d} {M} {y}")
    return str(rng.choice(forms).format(d=first, M=month, y=year, D=rng.choice(_DAYS)))
