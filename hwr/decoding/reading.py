"""What a decoder makes of a line's logits."""

from dataclasses import dataclass
from typing import NamedTuple


class Alternative(NamedTuple):
    """A text that a line may have."""

    text: str
    #: Its probability in the decoder's eyes; those of all may have a sum below 1.
    probability: float


@dataclass(frozen=True, kw_only=True)
class LineReading:
    """What a line says."""

    #: The text in the model's alphabet; empty where nothing was found.
    text: str
    #: What the decoder itself thinks of it, 0..1; from a reader, the probability that the whole
    #: line is read exactly (hwr.model.confidence), of a form's field that what it means is right.
    confidence: float
    #: From a reader: for each character of the text the probability that it stands there.
    characters: tuple[float, ...] = ()
    #: Of a form's field: all texts that the search ended with, the likeliest first.
    alternatives: tuple[Alternative, ...] = ()
    #: Of a form's field: by how much what the text means is likelier than the text, as it may be
    #: spelt otherwise.
    spellings: float = 1.0
