"""hwr reads handwriting: documents in, lines of text out."""

from importlib.metadata import version

__version__ = version("hwr")
