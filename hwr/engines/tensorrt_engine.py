"""Convolutions and classifier in TensorRT, the LSTM in cuDNN, half precision.

Nothing here is served before it has read a probe as eager float32 does. Whatever goes wrong until
then ends in the eager engine, with an error in the log and a word in the identity of every result;
what goes wrong afterwards is raised, as by any engine.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from hwr.engines.protocol import Engine, LineBatch, Logits
from hwr.engines.tensorrt_buckets import BUCKETS, Bucket, bucket_of
from hwr.engines.tensorrt_cache import EngineCache, default_folder
from hwr.engines.tensorrt_compiler import Compiled, Compiler, TorchTensorRt
from hwr.engines.tensorrt_parts import parts_of
from hwr.engines.tensorrt_probe import check_parity
from hwr.engines.tensorrt_supply import EngineSupply
from hwr.engines.torch_engine import TorchEngine, columns_on
from hwr.model.line_image import WIDTH_STEP, Grey
from hwr.model.network import Crnn, fold_norms

_log = logging.getLogger(__name__)

_PAPER = 255


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """What reads the batches of one bucket."""

    backbone: Compiled
    head: Compiled


class TensorRtEngine:
    """Reads with engines that are taken from a supply and probed while this is made.

    With `cuda_graphs` each batch is padded to its bucket's usual shape, so that TensorRT's kernels
    are launched as one recorded graph; the LSTM, whose work follows the lines' lengths, is not
    part of it.
    """

    def __init__(
        self,
        network: Crnn,
        supply: EngineSupply,
        reference: Engine,
        *,
        device: str = "cuda",
        dtype: torch.dtype = torch.float16,
        cuda_graphs: bool = False,
        buckets: Sequence[Bucket] = BUCKETS,
    ) -> None:
        """Take or build two engines a bucket and compare them with `reference`.

        Raises:
            EngineError: they do not read as `reference` does.
            Exception: whatever Torch-TensorRT raises where it cannot compile the network.
        """
        self._stride = network.config.stride
        self._network = fold_norms(network).to(device=device, dtype=dtype)
        self._device = torch.device(device)
        self._dtype = dtype
        self._cuda_graphs = cuda_graphs
        self._supply = supply
        self._pairs: dict[Bucket, _Pair] = {}
        for bucket in buckets:
            self._open(bucket, reference)

    @property
    def identity(self) -> str:
        platform = " ".join(f"{name} {value}" for name, value in self._supply.platform.items())
        precision = str(self._dtype).removeprefix("torch.")
        return f"tensorrt {precision}{' graphs' if self._cuda_graphs else ''}, {platform}"

    @property
    def columns(self) -> int:
        """More than the engines were built for: the LSTM takes the lines of all parts at once."""
        return columns_on(self._device)

    @torch.inference_mode()
    def logits(self, batch: LineBatch) -> Logits:
        """Logits of every line.

        Raises:
            EngineError: the batch is wider than any normalised line.
        """
        width = batch.images.shape[2]
        bucket = bucket_of(width)
        most = bucket.usual_lines if self._cuda_graphs else bucket.most_lines
        parts = [slice(first, first + most) for first in range(0, len(batch.widths), most)]
        features = [self._features(bucket, batch.images[p], batch.widths[p]) for p in parts]
        lengths = batch.widths // self._stride
        # All lines at once: the LSTM takes its steps one by one, however many lines share them.
        sequence = self._network.sequence(torch.cat(features), torch.from_numpy(lengths))
        values = torch.cat([self._classes(bucket, sequence[p]) for p in parts])
        values = values[:, : width // self._stride].float()
        return Logits(values=values.cpu().numpy(), lengths=lengths)

    def warm_up(self) -> None:
        """Nothing is left to do: the probes have warmed up every bucket."""

    def _open(self, bucket: Bucket, reference: Engine) -> None:
        """Serve `bucket` from the cache, or build again what does not load or read right."""
        kept = self._supply.holds(parts_of(self._network, bucket))
        try:
            self._load(bucket, reference)
        except Exception:
            if not kept:
                raise
            _log.warning(
                "The kept engines of %s do not serve; building them again", bucket, exc_info=True
            )
            self._load(bucket, reference, again=True)

    def _load(self, bucket: Bucket, reference: Engine, *, again: bool = False) -> None:
        backbone, head = parts_of(self._network, bucket)
        self._pairs[bucket] = _Pair(
            backbone=self._supply.take(backbone, again=again),
            head=self._supply.take(head, again=again),
        )
        check_parity(self, reference, bucket)

    def _features(self, bucket: Bucket, images: Grey, widths: NDArray[np.int64]) -> Tensor:
        paper, padded = self._padded(bucket, images, widths)
        ink = (255 - torch.from_numpy(paper).to(self._device)).to(self._dtype).unsqueeze(1) / 255
        features = self._pairs[bucket].backbone(ink, torch.from_numpy(padded).to(self._device))
        return features[: len(widths)]

    def _classes(self, bucket: Bucket, sequence: Tensor) -> Tensor:
        lines = len(sequence)
        below = bucket.usual_lines - lines if self._cuda_graphs else 0
        return self._pairs[bucket].head(pad(sequence, (0, 0, 0, 0, 0, below)))[:lines]

    def _padded(
        self, bucket: Bucket, images: Grey, widths: NDArray[np.int64]
    ) -> tuple[Grey, NDArray[np.int64]]:
        """The batch with paper below and to its right, up to a shape that the engines take."""
        lines, _, width = images.shape
        wider = bucket.widest if self._cuda_graphs else max(width, bucket.narrowest)
        below = bucket.usual_lines - lines if self._cuda_graphs else 0
        paper = np.pad(images, ((0, below), (0, 0), (0, wider - width)), constant_values=_PAPER)
        return paper, np.pad(widths, (0, below), constant_values=WIDTH_STEP)


@dataclass(frozen=True, kw_only=True)
class _Eager:
    """The eager engine in TensorRT's place, which its identity says."""

    engine: Engine
    #: The error that kept TensorRT from serving; its name alone, since it holds what it was about.
    reason: str

    @property
    def identity(self) -> str:
        return f"{self.engine.identity} in place of tensorrt ({self.reason})"

    @property
    def columns(self) -> int:
        return self.engine.columns

    def logits(self, batch: LineBatch) -> Logits:
        return self.engine.logits(batch)

    def warm_up(self) -> None:
        self.engine.warm_up()


def open_tensorrt(
    network: Crnn,
    threads: int,
    *,
    cuda_graphs: bool = False,
    make_compiler: Callable[[bool], Compiler] = TorchTensorRt,
    buckets: Sequence[Bucket] = BUCKETS,
) -> Engine:
    """TensorRT where it starts and reads right, else the eager engine on the GPU or the CPU."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    eager = TorchEngine(network, device=device, threads=threads)
    try:
        supply = EngineSupply(make_compiler(cuda_graphs), EngineCache(default_folder()))
        return TensorRtEngine(
            network, supply, eager, device=device, cuda_graphs=cuda_graphs, buckets=buckets
        )
    except Exception as error:
        _log.exception("TensorRT does not serve; reading with %s instead", eager.identity)
        return _Eager(engine=eager, reason=type(error).__name__)
