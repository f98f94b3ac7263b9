"""What /docs says of results is what results hold."""

import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from hwr.failure import Failure
from hwr.forms import Found
from hwr.reader import DocumentReading, PageReading, ReadLine, ReadZone
from workers.api.result_schema import ResultDocument, ResultZone

FAILURE = Failure(code="LineFailed", message="Read it again.")
PLACE: dict[str, Any] = {"polygon": ((0, 0), (9, 0), (9, 9)), "baseline": ((0, 8), (9, 8))}
LINE = ReadLine(order=0, text="42", confidence=0.5, needs_review=True, zone="total", **PLACE)
FAILED = ReadLine(order=1, text="", confidence=0.0, needs_review=True, error=FAILURE, **PLACE)
ZONE = ReadZone(name="total", polygon=PLACE["polygon"], found="box")
PAGE = PageReading(number=1, width=9, height=9, lines=(LINE, FAILED), zones=(ZONE,))
SECOND = replace(PAGE, lines=(replace(LINE, sheet=2),), zones=(replace(ZONE, sheet=2),))
REFUSED = PageReading(number=2, error=FAILURE, warning=FAILURE)


def described(model: type[BaseModel], told: Any) -> Any:
    """The part of `told` that the model knows."""
    return model.model_validate(told).model_dump(mode="json", exclude_unset=True)


def test_all_of_a_result_is_described() -> None:
    pages = (PAGE, SECOND, REFUSED)
    reading = DocumentReading(name="a.pdf", pages=pages, reader={"engine": "onnx"})
    told = json.loads(json.dumps({"id": "0a1b"} | reading.to_json()))
    assert described(ResultDocument, told) == told


def test_a_sheet_is_named_only_where_there_are_several() -> None:
    one, second = PAGE.to_json(), SECOND.to_json()
    assert "sheet" not in one["lines"][0] | one["zones"][0]
    assert (second["lines"][0]["sheet"], second["zones"][0]["sheet"]) == (2, 2)


def test_a_result_without_one_of_its_parts_is_noticed() -> None:
    told = {"id": "0a1b"} | DocumentReading(name="a.pdf", pages=(PAGE,), reader={}).to_json()
    del told["pages"][0]["lines"][0]["zone"]
    with pytest.raises(ValidationError, match="zone"):
        described(ResultDocument, told)


def test_each_way_of_finding_a_zone_is_described() -> None:
    assert set(get_args(ResultZone.model_fields["found"].annotation)) == set(Found)
