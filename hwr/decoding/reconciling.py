"""Lines of a page that say the same amount, as a cheque's figures and words do, read together.

Each line alone is read as well as it can be; but a 7 that may be a 1 is a 7 where the words say
seven. What both lines may say is weighed as if they were written independently of each other.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from hwr.decoding.amounts import worth
from hwr.decoding.reading import Alternative, LineReading
from hwr.errors import AmountsDiffer

#: Weight of two different amounts beside two equal ones: few cheques have them, and not always is
#: the true amount among those that a line was taken for.
_DIFFERENT = 0.01
#: Where two amounts differ one of them is wrong, and nobody knows which.
_LIKELIEST_OF_DIFFERENT = 0.5


@dataclass(frozen=True, kw_only=True)
class FieldLine:
    """A line of a page that was read."""

    #: None where it could not be read.
    reading: LineReading | None
    #: Name of its zone; None outside of all.
    zone: str | None = None
    #: Name of the zone that says the same amount; None where there is none.
    same_as: str | None = None


def reconcile(
    lines: Sequence[FieldLine],
) -> tuple[list[LineReading | None], AmountsDiffer | None]:
    """The readings of a page's lines, those of equal amounts read together.

    Where two amounts agree, their lines' confidence is the probability that the amount is right.
    Where they differ both lines stay as they were read, but are sure to a half at most, and the
    error says so. Zones with no line or several, or without an amount, are not compared.
    """
    readings = [line.reading for line in lines]
    trouble = None
    for one, other in _pairs(lines):
        first, second = readings[one], readings[other]
        if first is None or second is None or not (_worths(first) and _worths(second)):
            continue
        amount, probability = _common(_worths(first), _worths(second))
        if amount is None:
            readings[one], readings[other] = _unsure(first), _unsure(second)
            trouble = _differ(lines[one], lines[other])
        else:
            readings[one] = _saying(first, amount, probability)
            readings[other] = _saying(second, amount, probability)
    return readings, trouble


def _pairs(lines: Sequence[FieldLine]) -> Iterator[tuple[int, int]]:
    """Places of lines that say the same amount, each the only one of its zone."""
    places: dict[str | None, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        places[line.zone].append(place)
    for place, line in enumerate(lines):
        partners = places.get(line.same_as, []) if line.same_as else []
        if len(partners) == len(places[line.zone]) == 1:
            yield place, partners[0]


def _worths(reading: LineReading) -> Mapping[int, float]:
    """The amounts that a line may say, with their probabilities."""
    worths: dict[int, float] = defaultdict(float)
    for text, probability in _alternatives(reading):
        if (amount := worth(text)) is not None:
            worths[amount] += probability
    return worths


def _alternatives(reading: LineReading) -> tuple[Alternative, ...]:
    return reading.alternatives or (Alternative(reading.text, reading.confidence),)


def _common(one: Mapping[int, float], other: Mapping[int, float]) -> tuple[int | None, float]:
    """The likeliest amount of both and its probability; none where it is likelier they differ."""
    both = {amount: one[amount] * other[amount] for amount in one.keys() & other.keys()}
    amount = max(both, key=both.__getitem__, default=None)
    if amount is None:
        return None, 0.0
    total = sum(both.values())
    probability = both[amount] / (total + _DIFFERENT * (1.0 - total))
    return (amount, probability) if probability > _LIKELIEST_OF_DIFFERENT else (None, 0.0)


def _saying(reading: LineReading, amount: int, probability: float) -> LineReading:
    """The reading with the likeliest text that is worth so much."""
    texts = (text for text, _ in _alternatives(reading) if worth(text) == amount)
    text = next(texts)
    characters = reading.characters if text == reading.text else ()
    return replace(reading, text=text, confidence=probability, characters=characters)


def _unsure(reading: LineReading) -> LineReading:
    return replace(reading, confidence=min(reading.confidence, _LIKELIEST_OF_DIFFERENT))


def _differ(one: FieldLine, other: FieldLine) -> AmountsDiffer:
    said = " and ".join(
        f"{line.zone} says {line.reading.text!r}" for line in (other, one) if line.reading
    )
    return AmountsDiffer(f"The amounts differ: {said}. Have a person look at both.")
