"""What the table of lines gets: the readings of a page's lines, or why there is none."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

from hwr.decoding.reading import LineReading
from hwr.decoding.reconciling import FieldLine, reconcile
from hwr.errors import AmountsDiffer, LineError, LineTimeout
from hwr.failure import Failure
from workers.line_pack import PackedLine

#: What is to come of a line; None where there is no picture to read.
Promise = Future[LineReading] | None

#: A row of the table of lines.
LineRow = dict[str, Any]


def line_rows(
    page_id: int, lines: Sequence[PackedLine], promises: Sequence[Promise]
) -> tuple[list[LineRow], AmountsDiffer | None]:
    """The rows of a page's lines, and which amounts differ; a promise not kept is a LineTimeout."""
    results = list(map(_result, lines, promises))
    readings, differ = reconcile(list(map(_field_line, lines, results)))
    rows = map(_row, lines, readings, results)
    return [{"page_id": page_id} | row for row in rows], differ


def _result(line: PackedLine, promise: Promise) -> LineReading | Failure | None:
    if promise is None:
        return line.error
    try:
        if not promise.done():
            raise LineTimeout
        reading = promise.result()
    except LineError as error:
        return Failure.of(error)
    return reading


def _field_line(line: PackedLine, result: LineReading | Failure | None) -> FieldLine:
    reading = None if isinstance(result, Failure) else result
    return FieldLine(reading=reading, zone=line.zone, same_as=line.same_as, sheet=line.sheet)


def _row(
    line: PackedLine, reading: LineReading | None, result: LineReading | Failure | None
) -> LineRow:
    error = result if isinstance(result, Failure) else None
    return {
        "order": line.order,
        "polygon": line.polygon,
        "baseline": line.baseline,
        "zone": line.zone,
        "text": reading.text if reading else "",
        "confidence": reading.confidence if reading else 0.0,
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
        "sheet": line.sheet,
    }
