"""The engine for CPUs: ONNX Runtime, in 8-bit integers where the model has been quantised."""

import logging
import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hwr.engines.onnx_graph import INK, LOGITS, ink_of, write_graph
from hwr.engines.protocol import CPU_COLUMNS, LineBatch, Logits
from hwr.errors import EngineError, ModelError
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.processor import cpu_flags
from hwr.model.quantisation import Quantisation, load_quantisation
from hwr.model.weights import Model

log = logging.getLogger(__name__)

_WARM_UP_WIDTH = 512
#: Has the runtime add 128 to weights and their zero points, and take its kernels for those.
_UNSIGNED_WEIGHTS = "session.x64quantprecision"


class OnnxEngine:
    """Reads the lines of a batch one by one, on as many threads as it may.

    A line's logits are therefore the same bits alone and in any batch, and no time goes into
    padding. Each thread reads a line of its own inside the runtime, which starts none itself.
    """

    def __init__(
        self, model: Model, *, quantisation: Quantisation | None = None, threads: int = 1
    ) -> None:
        self._precision = f"int8 {quantisation.hash}" if quantisation else "float32"
        self._classes, self._stride = model.config.classes, model.config.stride
        graph = write_graph(model, quantisation.ranges if quantisation else None)
        self._session = open_session(graph)
        self._pool = ThreadPoolExecutor(threads, "onnx") if threads > 1 else None

    @property
    def identity(self) -> str:
        return f"onnxruntime {onnxruntime.__version__} cpu {self._precision}"

    @property
    def columns(self) -> int:
        return CPU_COLUMNS

    def logits(self, batch: LineBatch) -> Logits:
        lengths = batch.widths // self._stride
        values = np.zeros((len(lengths), int(lengths.max()), self._classes), np.float32)
        lines = [row[:, :width] for row, width in zip(batch.images, batch.widths, strict=True)]
        read = self._pool.map(self._read, lines) if self._pool else map(self._read, lines)
        for row, line in zip(values, read, strict=True):
            row[: len(line)] = line
        return Logits(values=values, lengths=lengths)

    def warm_up(self) -> None:
        self.logits(LineBatch.stack([np.full((LINE_HEIGHT, _WARM_UP_WIDTH), 255, np.uint8)]))

    def _read(self, line: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(64, w) uint8 → (T, C)."""
        (logits,) = self._session.run([LOGITS], {INK: ink_of(line)})
        return np.asarray(logits, np.float32)[:, 0]


def open_session(graph: bytes) -> onnxruntime.InferenceSession:
    """A session that works in the thread that calls it, and in no other.

    Its 8-bit sums are exact on every CPU, so that all CPUs read the same.

    Raises:
        EngineError: the runtime cannot run the graph.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # would keep a plan for every width there is
    options.log_severity_level = 3
    if not _adds_in_32_bits():
        options.add_session_config_entry(_UNSIGNED_WEIGHTS, "1")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's errors have no class of their own in common
        raise EngineError(
            f"ONNX Runtime {onnxruntime.__version__} cannot run the network ({error})."
            " Install the version that hwr asks for, or set HWR_ENGINE=torch."
        ) from error


def open_onnx(model: Model, threads: int) -> OnnxEngine:
    """The engine in 8 bits where it reads well in them, else in float32 with a warning."""
    return OnnxEngine(model, quantisation=_usable_quantisation(model), threads=threads)


def _usable_quantisation(model: Model) -> Quantisation | None:
    try:
        quantisation = load_quantisation(model)
    except ModelError as error:
        log.warning("%s Reading in float32, which takes longer.", error)
        return None
    if quantisation is None:
        log.warning(
            "%s has not been quantised: reading in float32, which takes longer."
            " Quantise it with `hwr quantise DATA`.",
            model.path,
        )
    return quantisation


def _adds_in_32_bits() -> bool:
    """Whether products with signed weights are added without overflow: on x86 that takes VNNI.

    Older x86 instructions (vpmaddubsw) add pairs of products in 16 bits, and saturate. Kernels for
    unsigned weights widen first: the same integers, at two thirds of the speed. The runtime's own
    test for this takes CPUs with VNNI for old ones (`MlasPlatformU8S8Overflow`).
    """
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return True
    return any(flag.endswith("_vnni") for flag in cpu_flags())
