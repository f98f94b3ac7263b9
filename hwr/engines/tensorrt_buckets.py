"""Width buckets: the ranges of batch and width that TensorRT tunes an engine for.

One engine for all widths would run kernels chosen for one of them, and an engine a width would take
hours to build. Tops double, so that within a bucket a width is at least half of what its kernels
were tuned for, and the batcher's own, narrower buckets each lie in one of these.
"""

from dataclasses import dataclass

from hwr.errors import EngineError
from hwr.model.line_image import MAX_WIDTH, WIDTH_STEP

#: Padded columns of the batch that kernels are tuned for: what the batcher gives by default. What a
#: GPU asks for beyond that is read in parts.
COLUMNS = 16_384
#: Narrowest batch in pixels; what is narrower is padded. One time step alone cannot be exported.
_NARROWEST = 64
#: Lines of a batch at most: memory is set aside for the largest.
_MOST_LINES = 128
_TOPS = (256, 512, 1024, 2048, 4096, MAX_WIDTH)


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Batches that one pair of engines reads."""

    #: Width of the narrowest batch in pixels, a multiple of 8.
    narrowest: int
    #: Width of the widest batch in pixels, a multiple of 8.
    widest: int

    @property
    def usual_lines(self) -> int:
        """Lines of the batch that kernels are tuned for, at the widest width."""
        return max(1, min(_MOST_LINES, COLUMNS // self.widest))

    @property
    def most_lines(self) -> int:
        """Lines of the largest batch; a larger one is read in parts."""
        return max(2, min(_MOST_LINES, COLUMNS // self.narrowest))


#: Narrow ones first; together they hold every width that a normalised line can have.
BUCKETS = tuple(
    Bucket(narrowest=narrowest, widest=widest)
    for narrowest, widest in zip(
        (_NARROWEST, *(top + WIDTH_STEP for top in _TOPS)), _TOPS, strict=False
    )
)


def bucket_of(width: int) -> Bucket:
    """The bucket of a batch `width` pixels wide.

    Raises:
        EngineError: no normalised line is that wide.
    """
    for bucket in BUCKETS:
        if width <= bucket.widest:
            return bucket
    raise EngineError(
        f"A batch is {width} pixels wide, more than the {MAX_WIDTH} of a normalised line."
        " Bring lines through normalise_line first."
    )
