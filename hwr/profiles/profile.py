"""What a profile says, checked.

The models are the sections of a profile's file; docs/profiles.md explains each key to those who
write one.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from hwr.decoding.names import COMB, LEXICON

#: A number as TOML has it: neither a text that looks like one nor true.
_Number = Annotated[float, Field(strict=True)]
#: Left, top, right, bottom.
Box = tuple[_Number, _Number, _Number, _Number]

#: What a zone may hold beside the words of a lexicon: free text, a field of hwr.decoding.fields, or
#: nothing that is to be read.
TEXT, NOTHING = "text", "nothing"
_IN_WORDS = "amount-in-words"
AMOUNTS = ("amount", _IN_WORDS)
FIELDS = ("digits", *AMOUNTS, "date", "capitals")
#: What may be written one character to a box.
IN_COMBS = ("digits", "date", "capitals", NOTHING)

_HOLDS = rf"({TEXT}|{NOTHING}|{'|'.join(FIELDS)}|{LEXICON}[^\x00-\x1f]{{1,200}})"
_NUMBERS = r"(all|odd|even|[1-9]\d{0,5}(-([1-9]\d{0,5})?)?)"
#: Names stand in results, tables and pictures.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.-]{0,39}$")]
Millimetres = Annotated[float, Field(gt=0, le=2000, strict=True)]
_STRICT = ConfigDict(frozen=True, extra="forbid")

#: Sheets beside each other are known by their rules, of which they need so many.
LEAST_RULES = 4
#: More than any form has; each is looked for.
MOST_ZONES, MOST_PAGES = 200, 50


class Find(StrEnum):
    """How a zone is found on the page."""

    AREA = "area"  # its box as it is
    RULE = "rule"  # the printed rule that its text stands on
    BOX = "box"  # the printed box around it
    RULED = "ruled"  # each block of ruled lines in its box is a zone
    BOXES = "boxes"  # each printed box in its box is a zone
    COMB = "comb"  # its box as it is, a row of small boxes with a character each


class ZoneForm(BaseModel):
    """A zone as a profile has it."""

    model_config = _STRICT

    name: Name = Field(description="its lines carry it; of several with a number behind it")
    box: Box = Field(description="left, top, right, bottom; shares of the page, or mm")
    find: Find = Field(Find.AREA, description="how it is found")
    holds: str = Field(TEXT, pattern=f"^{_HOLDS}$", description="what is written in it")
    same_as: Name | None = Field(None, description="zone of the page that says the same amount")

    @property
    def is_read(self) -> bool:
        """Whether its lines are read."""
        return self.holds != NOTHING

    @property
    def is_several(self) -> bool:
        """Whether it stands for any number of zones, whose names have a number behind its own."""
        return self.find in (Find.RULED, Find.BOXES)

    @property
    def is_comb(self) -> bool:
        """Whether each character in it has a box of its own."""
        return self.find is Find.COMB

    @property
    def is_amount(self) -> bool:
        """Whether it stands for one zone that holds an amount."""
        return self.holds in AMOUNTS and not self.is_several

    @property
    def is_one_text(self) -> bool:
        """Whether its lines are one text: an amount in words may go on over several."""
        return self.holds == _IN_WORDS

    def gives(self, name: str) -> bool:
        """Whether a zone on a page that is called so may come from it."""
        number = name.removeprefix(f"{self.name} ")
        return name == self.name or (self.is_several and name != number and number.isdigit())

    @property
    def decoder(self) -> str | None:
        """Name of the decoder of its lines; None for the reader's own."""
        if self.holds in (TEXT, NOTHING):
            return None
        return f"{COMB}{self.holds}" if self.is_comb else self.holds


class PageForm(BaseModel):
    """Pages of one kind as a profile has them."""

    model_config = _STRICT

    name: Name = Field("page", description="for people")
    numbers: str = Field("all", pattern=f"^{_NUMBERS}$", description="which pages these are")
    size_mm: tuple[Millimetres, Millimetres] | None = Field(
        None, description="width and height; with it, boxes are in millimetres"
    )
    template: Path | None = Field(None, description="picture of the blank form")
    outside: bool = Field(
        False, strict=True, description="whether lines outside of all zones are read too"
    )
    patterned: bool = Field(
        False,
        strict=True,
        description="whether its paper is printed with a pattern paler than the ink",
    )
    wherever_found: bool = Field(
        False,
        strict=True,
        description="whether pages of other numbers are read so too, where its print is on them",
    )
    several_sheets: bool = Field(
        False, strict=True, description="whether several may lie on a page; needs rules and size_mm"
    )
    zones: tuple[ZoneForm, ...] = Field((), max_length=MOST_ZONES)

    @field_validator("numbers")
    @classmethod
    def _check_numbers(cls, numbers: str) -> str:
        first, _, last = numbers.partition("-")
        if last and int(last) < int(first):
            raise ValueError(f"{numbers} ends before it begins")
        return numbers

    @field_validator("template")
    @classmethod
    def _check_template(cls, template: Path) -> Path:
        if not re.fullmatch(r"[^\x00-\x1f]{1,200}", str(template)):
            raise ValueError(f"{str(template)!r:.80} is no name of a file")
        return template

    @model_validator(mode="after")
    def _check(self) -> Self:
        for zone in self.zones:
            left, top, right, bottom = self.shares(zone)
            if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
                limits = "the page of size_mm" if self.size_mm else "0 to 1; for mm, give size_mm"
                raise ValueError(
                    f"the box of {zone.name!r} must be left, top, right, bottom within {limits}"
                )
            if zone.is_comb and zone.holds not in IN_COMBS:
                raise ValueError(f"the comb {zone.name!r} must hold {', '.join(IN_COMBS)}")
            self._check_same(zone)
            if sum(other.gives(zone.name) for other in self.zones) > 1:
                raise ValueError(f"two zones may be called {zone.name!r}; rename one of them")
        self._check_several()
        self._check_wherever()
        return self

    def _check_several(self) -> None:
        if self.several_sheets and not self.may_be_several:
            raise ValueError(
                f"several_sheets needs size_mm, {LEAST_RULES} zones or more that are found by a"
                " rule, and no template; give them, or leave it out"
            )

    def _check_wherever(self) -> None:
        on_print = sum(zone.find in (Find.RULE, Find.BOX) for zone in self.zones)
        if self.wherever_found and self.template is None and on_print < LEAST_RULES:
            raise ValueError(
                f"wherever_found needs a template, or {LEAST_RULES} zones or more that are found by"
                " a rule or a box; give them, or leave it out"
            )

    def _check_same(self, zone: ZoneForm) -> None:
        if zone.same_as is None:
            return
        other = next((other for other in self.zones if other.name == zone.same_as), None)
        if other is None or not (zone.is_amount and other.is_amount):
            raise ValueError(
                f"{zone.name!r} is the same as {zone.same_as!r}, but not both are zones that hold"
                f" {' or '.join(AMOUNTS)}, and only one amount each"
            )
        partners = sum(one.same_as == zone.same_as for one in self.zones)
        if other.same_as is not None or partners > 1:
            raise ValueError(
                f"{zone.same_as!r} has a same_as too, or two zones name it; only two go together"
            )

    @property
    def may_be_several(self) -> bool:
        """Whether it says enough for its sheets to be known beside each other."""
        rules = sum(zone.find is Find.RULE for zone in self.zones)
        return self.size_mm is not None and self.template is None and rules >= LEAST_RULES

    def shares(self, zone: ZoneForm) -> Box:
        """The zone's box in shares of the page's width and height."""
        width, height = self.size_mm or (1.0, 1.0)
        left, top, right, bottom = zone.box
        return left / width, top / height, right / width, bottom / height

    @property
    def turns(self) -> tuple[int, ...]:
        """Page numbers among which are some odd and even of any that only this kind covers."""
        ends = [int(end) for end in re.findall(r"\d+", self.numbers)]
        return tuple(at for end in (1, *ends) for at in range(max(end - 1, 1), end + 3))

    def covers(self, number: int) -> bool:
        """Whether page `number`, from 1, is of this kind."""
        if self.numbers in ("odd", "even"):
            return number % 2 == (self.numbers == "odd")
        if self.numbers == "all":
            return True
        first, dash, last = self.numbers.partition("-")
        if not dash:
            return number == int(first)
        return int(first) <= number and (not last or number <= int(last))


class ProfileFile(BaseModel):
    """All that a profile's file holds."""

    model_config = _STRICT

    description: str = Field("", max_length=1000, description="for people")
    review_below: float | None = Field(
        None,
        ge=0,
        le=1,
        strict=True,
        description="lines less likely to be right are marked needs_review",
    )
    pages: tuple[PageForm, ...] = Field((), max_length=MOST_PAGES)

    @field_validator("pages")
    @classmethod
    def _check_pages(cls, pages: tuple[PageForm, ...]) -> tuple[PageForm, ...]:
        left = {number: True for page in pages for number in page.turns}
        for place, page in enumerate(pages, 1):
            own = [number for number in left if page.covers(number)]
            if not own:
                raise ValueError(
                    f"number {place} is for {page.numbers} and never counts, as those before"
                    " it are for the same pages; give them other numbers, or leave it out"
                )
            for number in own:
                del left[number]
        return pages


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile that was loaded."""

    #: What it is called: its file's name without the suffix.
    name: str
    #: First 16 hexadecimal digits of the SHA-256 of its file and of the files it names.
    hash: str
    #: What its file says; paths in it are absolute.
    content: ProfileFile

    @property
    def audit(self) -> dict[str, str]:
        """What it adds to the identity of the reader."""
        audit = {"profile": f"{self.name} {self.hash}"}
        if self.content.review_below is not None:
            audit["review_below"] = f"{self.content.review_below:g}"
        return audit

    def page(self, number: int) -> PageForm:
        """What page `number` is; free text where the profile does not say."""
        for form in self.content.pages:
            if form.covers(number):
                return form
        return PageForm(outside=True)

    def wherever_found(self, number: int) -> list[PageForm]:
        """What page `number` is instead where its print says so; the likeliest first."""
        own = self.page(number)
        found = [form for form in self.content.pages if form.wherever_found]
        return sorted(found, key=lambda form: form is not own) if found != [own] else []


def is_name(text: str) -> bool:
    """Whether a profile may be called so: nothing of a path is in it."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", text) is not None
