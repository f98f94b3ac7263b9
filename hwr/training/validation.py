"""The validation amid a training run: the curve's points and a sheet of the worst lines."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hwr.model.alphabet import Alphabet
from hwr.model.network import Crnn
from hwr.training.evaluation import network_reader, read_samples
from hwr.training.report import character_error_rates
from hwr.training.samples import LineSample
from hwr.training.sheet import write_sheet


def curve_validation(
    samples: Sequence[LineSample], alphabet: Alphabet, sheet: Path
) -> Callable[[Crnn], dict[str, float]]:
    """A validation for the trainer: CER per data set; the worst lines go to the picture `sheet`."""

    def validate(network: Crnn) -> dict[str, float]:
        results = read_samples(samples, network_reader(network, alphabet), alphabet)
        write_sheet(sheet, results)
        return {name: round(cer, 4) for name, cer in character_error_rates(results).items()}

    return validate
