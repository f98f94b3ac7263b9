"""What results hold, for clients and for /docs; the text itself is streamed from the rows."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from workers.api.schema import Error
from workers.database import State

#: A place on a page in its pixels: x to the right, y down.
Point = tuple[int, int]

#: What read something, by what it names: model, engine, decoder, calibration and so on.
ReadBy = Annotated[
    dict[str, str], Field(description="Model, engine, decoder, …; empty where nothing was read")
]

#: Which of several sheets something is on.
Sheet = Annotated[
    int | None,
    Field(ge=1, description="Number of its sheet; only there where the page shows several"),
]


class ResultLine(BaseModel):
    """A line of writing."""

    order: int = Field(description="Place in reading order, from 0")
    text: str
    confidence: float = Field(ge=0, le=1, description="Probability that all of it is right")
    needs_review: bool = Field(description="Less likely than the threshold, or not read")
    polygon: list[Point] = Field(description="Outline in pixels of the page: [x, y], …")
    baseline: list[Point] = Field(description="In pixels of the page, as it is read")
    zone: str | None = Field(description="Name of the zone it stands in; null outside of all")
    error: Error | None = Field(description="Why this line alone was not read")
    sheet: Sheet = None


class ResultZone(BaseModel):
    """A zone of the profile as it was found, with lines or without."""

    name: str
    polygon: list[Point] = Field(description="Corners, clockwise from the top left")
    found: Literal["sheet", "rule", "box", "template"] = Field(
        description="What its place is known from"
    )
    sheet: Sheet = None


class ResultPage(BaseModel):
    """A page that was read or refused."""

    number: int = Field(description="From 1")
    width: int = Field(description="In pixels; 0 where the page was refused")
    height: int = Field(description="In pixels; 0 where the page was refused")
    error: Error | None = Field(description="Why it was not read")
    lines: list[ResultLine] = Field(description="In reading order")
    zones: list[ResultZone]
    warning: Error | None = Field(description="Why its zones may be wrong, or which amounts differ")
    reader: ReadBy | None = Field(
        None, description="Only there where something else read it than the document's `reader`"
    )


class ResultDocument(BaseModel):
    """What a document says."""

    id: str = Field(description="As in the job's own `documents`")
    name: str
    state: State
    error: Error | None = Field(description="Why nothing of it was read")
    reader: ReadBy
    pages: list[ResultPage] = Field(description="Those that are finished, in order")


class Results(BaseModel):
    """What a job's documents say, as far as it is known."""

    id: str = Field(description="Of the job")
    state: State
    complete: bool = Field(description="Whether no more will come")
    next: str | None = Field(
        None,
        description="Only there where `limit` or `cursor` is sent: address of the results that go "
        "on after these documents; null: there are no more",
    )
    documents: list[ResultDocument] = Field(description="In the order of the job's own `documents`")
