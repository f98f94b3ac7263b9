"""Lines of a page that say the same amount, as a cheque's figures and words do, read together.

Each line alone is read as well as it can be; but a 7 that may be a 1 is a 7 where the words say
seven. What both lines may say is weighed as if they were written independently of each other.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hwr.decoding.amounts import worth
from hwr.decoding.reading import Alternative, LineReading
from hwr.errors import AmountsDiffer

#: What two lines may say beside one amount, with its weight: two different amounts, which few
#: cheques have; and on one line or both what nobody thought of, so that they agree by chance.
_DIFFERENT, _BY_CHANCE = 0.01, 0.001
#: What is likelier than all else is taken for true.
_LIKELY = 0.5


#: The amounts that a line may say, in hundredths: the likeliest text of each, and the probability
#: of all its texts.
_Worths = Mapping[int, Alternative]


@dataclass(frozen=True, kw_only=True)
class FieldLine:
    """A line of a page that was read."""

    #: None where it could not be read.
    reading: LineReading | None
    #: Name of its zone; None outside of all.
    zone: str | None = None
    #: Name of the zone that says the same amount; None where there is none.
    same_as: str | None = None
    #: Number of its sheet, from 1; None where the page is one.
    sheet: int | None = None


def reconcile(
    lines: Sequence[FieldLine],
) -> tuple[list[LineReading | None], AmountsDiffer | None]:
    """The readings of a page's lines, those of equal amounts read together.

    Where two amounts agree, their lines' confidence is the probability that the amount is right.
    Where they differ both lines stay as they were read, but with confidence 0, and the error says
    so. Where one may be anything, both stay as they were. Zones with no line or several, or without
    an amount, are not compared.
    """
    readings = [line.reading for line in lines]
    different: list[tuple[FieldLine, FieldLine]] = []
    for one, other in _pairs(lines):
        first, second = lines[one].reading, lines[other].reading
        if first is None or second is None:
            continue
        worths = _worths(first), _worths(second)
        amount, probability = _common(*worths)
        if probability > _LIKELY:
            readings[one] = _saying(first, worths[0][amount].text, probability)
            readings[other] = _saying(second, worths[1][amount].text, probability)
        elif _are_different(worth(first.text), worth(second.text)):
            readings[one], readings[other] = _unsure(first), _unsure(second)
            different.append((lines[other], lines[one]))
    return readings, _differ(different) if different else None


def _pairs(lines: Sequence[FieldLine]) -> Iterator[tuple[int, int]]:
    """Places of lines that say the same amount, each the only one of its zone."""
    zones = [(line.sheet, line.zone) for line in lines]
    counts = Counter(zones)
    alone = {zone: place for place, zone in enumerate(zones) if counts[zone] == 1}
    for (sheet, zone), place in alone.items():
        partner = lines[place].same_as
        if zone is not None and partner is not None and (sheet, partner) in alone:
            yield place, alone[sheet, partner]


def _common(one: _Worths, other: _Worths) -> tuple[int, float]:
    """The likeliest amount of both lines and its probability, from the amounts that each may say.

    Probability 0 where there is none.
    """
    both = {
        amount: one[amount].probability * other[amount].probability
        for amount in one.keys() & other.keys()
    }
    if not both:
        return 0, 0.0
    same, known = sum(both.values()), _total(one) * _total(other)
    others = _DIFFERENT * (known - same) + _BY_CHANCE * (1.0 - known)
    amount = max(both, key=both.__getitem__)
    return amount, both[amount] / (same + others)


def _are_different(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _total(worths: _Worths) -> float:
    return sum(said.probability for said in worths.values())


def _worths(reading: LineReading) -> _Worths:
    worths: dict[int, Alternative] = {}
    for text, probability in _alternatives(reading):
        if (amount := worth(text)) is not None:
            said = worths.get(amount, Alternative(text, 0.0))
            worths[amount] = Alternative(said.text, said.probability + probability)
    return worths


def _alternatives(reading: LineReading) -> tuple[Alternative, ...]:
    return reading.alternatives or (Alternative(reading.text, reading.confidence),)


def _saying(reading: LineReading, text: str, probability: float) -> LineReading:
    """The reading with another of its texts."""
    characters = reading.characters if text == reading.text else ()
    return replace(reading, text=text, confidence=probability, characters=characters)


def _unsure(reading: LineReading) -> LineReading:
    return replace(reading, confidence=0.0)


def _differ(pairs: Sequence[Sequence[FieldLine]]) -> AmountsDiffer:
    said = "; ".join(" and ".join(map(_said, pair)) for pair in pairs)
    return AmountsDiffer(f"The amounts differ: {said}. Have a person look at both.")


def _said(line: FieldLine) -> str:
    where = f"{line.zone} of sheet {line.sheet}" if line.sheet else line.zone
    return f"{where} says {line.reading.text if line.reading else ''!r}"
