"""`python -m hwr.samples OUT [--pages N] [--seed S]`: write the batch of samples."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from hwr.errors import HwrError
from hwr.samples.batch import write_batch


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the batch and say where it is."""
    parser = ArgumentParser(prog="python -m hwr.samples", description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write to")
    parser.add_argument("--pages", type=_count, default=4, help="pages of the exam (default 4)")
    parser.add_argument("--seed", type=int, default=2, help="same seed, same bytes (default 2)")
    options = parser.parse_args(arguments)
    try:
        samples = write_batch(options.out, pages=options.pages, seed=options.seed)
    except HwrError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{sample.path}\n" for sample in samples)
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"{number} pages are not possible: give 1 or more")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
