"""hwr reads handwriting: documents in, lines of text out."""

import os
from importlib.metadata import version

__version__ = version("hwr")

# ONNX Runtime's own builds report to their maker which models are loaded and on what machine, keep
# that in the user's cache while there is no way out, and look for this only when they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
