"""English text to draw: running text, words by frequency, names, dates, amounts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from random import Random

from faker import Faker
from wordfreq import get_frequency_dict

from hwr.training.names import countries

_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
#: What a number in words is counted in, largest first.
Units = tuple[tuple[int, str], ...]
THOUSANDS: Units = ((1_000, "thousand"), (100, "hundred"))
LAKHS: Units = ((100_000, "lakh"), *THOUSANDS)
_TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()


#: Longest passage of running text on a line, in words.
_LONGEST_PASSAGE = 12
#: Share of sentences that are running text where there is some; the others have rarer words.
_RUNNING = 0.6
#: Share of names that are of people as countries count them; the others have titles and firms.
_LISTED = 0.7


@dataclass(frozen=True, kw_only=True)
class Prose:
    """Running text to take lines from; may be empty."""

    #: Words in their order, punctuation with them.
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, passages: Iterable[str]) -> "Prose":
        """All words of the passages, one passage after the other."""
        return cls(words=tuple(word for passage in passages for word in passage.split()))

    def line(self, rng: Random, longest: int = _LONGEST_PASSAGE) -> str:
        """A few words that follow each other, `longest` at most."""
        start = rng.randrange(len(self.words))
        return " ".join(self.words[start : start + rng.randint(1, longest)])


def frequent(
    language: str, usable: Callable[[str], bool]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The 60,000 commonest `usable` words of a language, and their weights, added up."""
    # Less than proportional: rare words, and with them rare letter pairs, get their share.
    pairs = [(w, f**0.65) for w, f in get_frequency_dict(language).items() if usable(w)]
    words, weights = zip(*pairs[:60_000], strict=True)
    return words, tuple(accumulate(weights))


@cache
def _words() -> tuple[tuple[str, ...], tuple[float, ...]]:
    return frequent("en", lambda word: word.isalpha() and word.isascii())


@cache
def _fakers() -> tuple[Faker, ...]:
    return tuple(Faker(locale) for locale in ("en_US", "en_GB", "en_IN", "fr_FR"))


def _faker(rng: Random) -> Faker:
    """A source of names and addresses that follows `rng`."""
    faker = rng.choices(_fakers(), weights=(4, 3, 1, 2))[0]
    faker.seed_instance(rng.getrandbits(32))
    return faker


def words(rng: Random, count: int) -> list[str]:
    """`count` lower-case English words."""
    names, cumulative = _words()
    return rng.choices(names, cum_weights=cumulative, k=count)


def number_words(value: int, link: str = " ", units: Units = THOUSANDS) -> str:
    """`value` below a million in English words; `link` stands between hundreds and tens."""
    for size, unit in units:
        if value >= size:
            count, rest = divmod(value, size)
            gap = link if rest < 100 else " "
            more = gap + number_words(rest, link, units) if rest else ""
            return f"{number_words(count, link, units)} {unit}{more}"
    if value < 20:
        return _ONES[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens] + (f"-{_ONES[ones]}" if ones else "")


def sentence(rng: Random) -> str:
    """A run of words with capitals and punctuation as running text has them."""
    parts = words(rng, rng.randint(1, 10))
    if rng.random() < 0.6:
        parts[0] = parts[0].capitalize()
    for index in range(len(parts)):
        chance = rng.random()
        if chance < 0.12:
            parts[index] += rng.choice(",,,,;:.'!?") + ("s" if chance < 0.005 else "")
        elif chance < 0.16:
            parts[index] = parts[index].capitalize()
        elif chance < 0.19:
            parts[index] = str(rng.randint(0, 10 ** rng.randint(1, 4)))
        elif chance < 0.21:
            parts[index] = rng.choice(['"{}"', "({})"]).format(parts[index])
    return " ".join(parts) + rng.choice(["", "", ".", ",", "?", "-"])


def name(rng: Random) -> str:
    """A person's or a firm's name, often in capitals as forms want it."""
    if rng.random() < _LISTED:
        text = rng.choice(countries()).draw(rng)
    else:
        faker = _faker(rng)
        text = " ".join(rng.choice([faker.name, faker.company])().split())
    return text.upper() if rng.random() < 0.5 else text


def address(rng: Random) -> str:
    """A line of an address."""
    faker = _faker(rng)
    lines = str(faker.address()).split("\n")
    text = " ".join(rng.choice([lines[0], lines[-1], ", ".join(lines)]).split())
    return text.upper() if rng.random() < 0.25 else text


def date(rng: Random) -> str:
    """A date in one of the usual forms."""
    day, month, year = rng.randint(1, 31), rng.randint(1, 12), rng.randint(1900, 2035)
    form = rng.choice(
        ["{d}/{m}/{y}", "{d:02}.{m:02}.{y}", "{m:02}-{d:02}-{y2:02}", "{d} {M} {y}", "{M} {d}, {y}"]
    )
    return str(form.format(d=day, m=month, y=year, y2=year % 100, M=_MONTHS[month - 1]))


#: How an amount in figures is kept from being changed.
_GUARDS = (*("{}",) * 12, "**{}**", "***{}", "#{}#", "={}=", "-{}-", "{}-", "{}.-", "({})")
_SIGNS = (*("{}",) * 4, "${}", "$ {}", "£{}", "€{}", "{} €", "Rs. {}", "Rs.{}", "{} $", "USD {}")
_CENTS = ("", ".{:02}", ".{:02}", ".00", "/-", " {:02}/100", "-{:02}", " xx/100", ".--")
_ENDS = (*("",) * 3, *(" only",) * 3, " Only.", " ----", " ---", " ==", " /-")
_UNITS_OF_MONEY = (*("",) * 4, " dollars", " dollars", " pounds", " euros", " rupees", " Dollars")
_PARTS = (*("",) * 4, " and {:02}/100", " & {:02}/100", " and no/100", " and xx/100", " {:02}/100")


def amount(rng: Random) -> str:
    """An amount in figures."""
    value, cents = rng.randint(1, 10 ** rng.randint(1, 6)), rng.randint(0, 99)
    figures = _grouped(value, rng) + rng.choice(_CENTS).format(cents)
    return rng.choice(_SIGNS).format(rng.choice(_GUARDS).format(figures))


def _grouped(value: int, rng: Random) -> str:
    """Figures alone, in thousands, or in thousands and lakhs."""
    form = rng.randrange(5)
    if form == 0 and value >= 100_000:
        lakhs, rest = divmod(value, 100_000)
        return f"{lakhs},{rest // 1000:02},{rest % 1000:03}"
    return f"{value:,}" if form < 3 else str(value)


def amount_in_words(rng: Random) -> str:
    """An amount as a cheque spells it, or the part of it that fits a line."""
    value, cents = rng.randint(1, 10 ** rng.randint(1, 6)), rng.randint(0, 99)
    if rng.random() < 0.1:
        text = f"{number_words(rng.randint(11, 99))} hundred"
    else:
        units = LAKHS if rng.random() < 0.2 else THOUSANDS
        text = number_words(value, rng.choice([" ", " ", " and ", " & "]), units)
    text = text.replace("-", rng.choice("--- "))
    case: Callable[[str], str] = rng.choice([str.capitalize, str.title, str.lower, str.capitalize])
    text = case(text) + rng.choice(_UNITS_OF_MONEY) + rng.choice(_PARTS).format(cents)
    text = f"Rupees {text}" if rng.random() < 0.08 else text
    text += rng.choice(_ENDS)
    return text.upper() if rng.random() < 0.12 else text


def formula(rng: Random) -> str:
    """A fragment as exam answers have it."""
    a, b, c = (rng.randint(0, 99) for _ in range(3))
    x = rng.choice("abnxyz")
    forms = [f"{x} = {a}", f"{a} + {b} = {a + b}", f"{a}{x} - {b}", f"({x} + {a})({x} - {b})"]
    return rng.choice(
        [*forms, f"{a} / {b} = {c}%", f"{rng.choice('ABCD')}) {a}.{b}", f"#{a}{b}{c}"]
    )


_KINDS: tuple[tuple[Callable[[Random], str], int], ...] = (
    (sentence, 60),
    (name, 12),
    (address, 4),
    (amount_in_words, 10),
    (amount, 6),
    (date, 5),
    (formula, 3),
)


def line_text(rng: Random, prose: Prose) -> str:
    """The text of one line: mostly sentences, else what forms and cheques hold."""
    kinds, weights = zip(*_KINDS, strict=True)
    kind: Callable[[Random], str] = rng.choices(kinds, weights=weights)[0]
    if kind is sentence and prose.words and rng.random() < _RUNNING:
        return prose.line(rng)
    return kind(rng)
