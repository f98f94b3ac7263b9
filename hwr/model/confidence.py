"""What makes a model's confidence true: scales per decoder, in a small file beside the weights.

Line confidence is the probability that the whole line is read exactly, character confidence that
the character stands at its place. Both come from probabilities that were put on a scale fitted on
writers the network never saw: a weighted sum of log-odds, as log-odds again (logistic regression;
with one probability it is Platt's "Probabilistic outputs for support vector machines", 1999).
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwr.model.files import replacing

log = logging.getLogger(__name__)

Floats = NDArray[np.float64]

#: Log-odds beyond these are not told apart: no validation set could check them.
_LEAST, _MOST = -60.0, 14.0


@dataclass(frozen=True, kw_only=True)
class LineScale:
    """Makes log-odds of a line out of what the network and the decoder think of its text."""

    #: Weight of the log-odds of the text under the network alone.
    network: float = 1.0
    #: Weight of the log-odds of the decoder's own confidence, which knows its language model.
    decoder: float = 0.0
    offset: float = 0.0

    def probability(self, network: float, decoder: float) -> float:
        """The line's probability to be read exactly; both arguments are log-odds."""
        return float(sigmoid(self.network * network + self.decoder * decoder + self.offset))


@dataclass(frozen=True, kw_only=True)
class CharacterScale:
    """Makes log-odds of a character out of its largest probability under the network."""

    slope: float = 1.0
    offset: float = 0.0

    def probability(self, characters: Floats) -> Floats:
        """(n,) probabilities to stand there from (n,) of the network."""
        return sigmoid(self.slope * log_odds(characters) + self.offset)


@dataclass(frozen=True, kw_only=True)
class ConfidenceScale:
    """The scales of one decoder's readings; by default the network's own probabilities."""

    line: LineScale = LineScale()
    character: CharacterScale = CharacterScale()


#: Of fields of a form until theirs is fitted: the mean of what the network and the search think.
#: The network alone counts texts that the field does not have.
FIELD_SCALE = ConfidenceScale(line=LineScale(network=0.5, decoder=0.5))


@dataclass(frozen=True, kw_only=True)
class ConfidenceScales:
    """The scales of a model, bound to its weights."""

    #: Hash of the model that they were fitted with.
    model: str
    #: By the decoder's identity.
    decoders: Mapping[str, ConfidenceScale]
    #: What names them in an audit: first 16 hexadecimal digits of the file's SHA-256.
    hash: str = ""


def log_odds(probability: Floats | float) -> Floats:
    """log(p / (1 - p)), of any shape."""
    p = np.clip(np.asarray(probability, np.float64), 1e-30, 1.0 - 1e-12)
    return np.asarray(np.clip(np.log(p) - np.log1p(-p), _LEAST, _MOST), np.float64)


def sigmoid(scores: Floats | float) -> Floats:
    """The probabilities of log-odds, of any shape."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * np.asarray(scores))), np.float64)


def scales_path(model: Path) -> Path:
    """Where the scales of the model file `model` stand."""
    return model.with_suffix(".confidence.json")


def save_scales(path: Path, scales: ConfidenceScales) -> None:
    """Write the scales, replacing what is there in one step."""
    decoders = {name: asdict(scale) for name, scale in scales.decoders.items()}
    text = json.dumps({"model": scales.model, "decoders": decoders}, indent=1) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def add_scale(path: Path, model: str, decoder: str, scale: ConfidenceScale) -> None:
    """Put a decoder's scale into the file at `path`; scales of other weights there are dropped."""
    earlier = load_scales(path, model)
    decoders = {**(earlier.decoders if earlier else {}), decoder: scale}
    save_scales(path, ConfidenceScales(model=model, decoders=decoders))


def load_scales(path: Path, model: str) -> ConfidenceScales | None:
    """The scales at `path`; none, with a warning, where they are not those of the model `model`.

    Reading goes on without: the network's own probabilities are no worse than they were.
    """
    try:
        data = path.read_bytes()
        told = json.loads(data)
        decoders = {name: _scale(entry) for name, entry in told["decoders"].items()}
        scales = ConfidenceScales(
            model=told["model"], decoders=decoders, hash=hashlib.sha256(data).hexdigest()[:16]
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s is damaged (%r). Make it again with hwr calibrate.", path, error)
        return None
    if scales.model != model:
        log.warning("%s belongs to other weights. Make it again with hwr calibrate.", path)
        return None
    return scales


def _scale(entry: Mapping[str, Mapping[str, float]]) -> ConfidenceScale:
    line, character = entry["line"], entry["character"]
    return ConfidenceScale(
        line=LineScale(**{part: _finite(value) for part, value in line.items()}),
        character=CharacterScale(**{part: _finite(value) for part, value in character.items()}),
    )


def _finite(value: float) -> float:
    if not np.isfinite(float(value)):
        raise ValueError(f"{value} is no weight")
    return float(value)
