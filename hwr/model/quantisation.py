"""What reading in 8-bit integers needs beside the weights: one small file next to the model."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hwr.errors import ModelError
from hwr.model.files import replacing
from hwr.model.weights import Model

#: Activation → (lowest, highest) value that its 8 bits span.
Ranges = dict[str, tuple[float, float]]
#: Data set → (lines, CER in float32, CER in 8 bits).
CharacterErrors = dict[str, tuple[int, float, float]]


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """The ranges of a model's activations, made by `hwr quantise`."""

    #: Hash of the model they were measured on; they fit no other.
    model: str
    ranges: Ranges
    #: Share of each line's values that the ranges hold; the rest is clipped.
    share: float
    #: Training lines they were measured on.
    lines: int
    #: What 8 bits cost on the validation sets.
    cer: CharacterErrors

    @property
    def hash(self) -> str:
        """First 16 hexadecimal digits of the SHA-256 of the file's content."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def to_json(self) -> str:
        """The content of its file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Quantisation":
        """The record that `to_json` wrote."""
        values = json.loads(text)
        values["ranges"] = {name: _span(*span) for name, span in values["ranges"].items()}
        values["cer"] = {name: tuple(entry) for name, entry in values["cer"].items()}
        return cls(**values)


def quantisation_path(model: Path) -> Path:
    """Where the quantisation of the model in the file `model` lies."""
    return model.with_suffix(".int8.json")


def save_quantisation(model: Path, quantisation: Quantisation) -> None:
    """Write `quantisation` beside its model, replacing what is there in one step."""
    path = quantisation_path(model)
    with replacing(path) as temporary:
        temporary.write_text(quantisation.to_json(), encoding="utf-8")


def load_quantisation(model: Model) -> Quantisation | None:
    """The quantisation beside `model`; none where there is none.

    Raises:
        ModelError: it is damaged or belongs to other weights.
    """
    path = quantisation_path(model.path)
    try:
        quantisation = Quantisation.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is not a usable quantisation ({error!r}). {_REMEDY}") from error
    if quantisation.model != model.hash:
        raise ModelError(
            f"{path} belongs to the model {quantisation.model}, not to {model.hash}. {_REMEDY}"
        )
    return quantisation


_REMEDY = "Make it again with `hwr quantise`."


def _span(low: float, high: float) -> tuple[float, float]:
    """A range that holds zero, which padding and ReLU need to be exact."""
    low, high = min(0.0, float(low)), max(0.0, float(high))
    if not 0 < high - low < float("inf"):
        raise ValueError(f"an activation cannot span {low} to {high}")
    return low, high
