"""A synthetic batch of documents: an exam scan and cheques, with the truth beside each.

Everything here is drawn: no page, name, bank or account is real. Print is set in Pillow's built-in
font. Handwriting is drawn with the fonts below, which come as packages of the extra `demo`; only
their font files are used, and none is shipped with hwr.

| font                 | file                 | package                      | licence     |
|----------------------|----------------------|------------------------------|-------------|
| Shadows Into Light   | ShadowsIntoLight.ttf | handwriting-generator 0.1.0  | SIL OFL 1.1 |
| Intuitive            | Intuitive.ttf        | font-intuitive 0.0.4         | SIL OFL 1.1 |
| Amatic SC            | AmaticSC-Bold.ttf    | font-amatic-sc 0.0.4         | SIL OFL 1.1 |
"""

from hwr.samples.batch import Sample, write_batch
from hwr.samples.truth import Kind, Truth, TruthLine, TruthPage, TruthZone, load_truth

__all__ = [
    "Kind",
    "Sample",
    "Truth",
    "TruthLine",
    "TruthPage",
    "TruthZone",
    "load_truth",
    "write_batch",
]
