"""The reference engine: PyTorch eager, on a CPU or a CUDA device."""

import numpy as np
import torch

from hwr.engines.protocol import CPU_COLUMNS, LineBatch, Logits
from hwr.model.line_image import LINE_HEIGHT
from hwr.model.network import Crnn, fold_norms

_WARM_UP_WIDTH = 512

#: Columns of a batch on a GPU with memory to spare: an H100 reads 256 lines of 1024 pixels four
#: times as fast as 16, since the LSTM takes its steps one by one (docs/gpu.md).
_GPU_COLUMNS = 262_144
#: Bytes that a column takes at most while it is read: five float32 maps of the first stage.
_COLUMN_BYTES = 10_240


class TorchEngine:
    """Masks and packed sequences; every other engine is compared with this one in float32.

    In bfloat16 a line's logits may differ a little with what shares its batch, since kernels round
    differently for different shapes.
    """

    def __init__(
        self,
        network: Crnn,
        *,
        device: str = "cpu",
        threads: int = 1,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        # A torch setting of the whole process: engines of one process share it.
        torch.set_num_threads(threads)
        self._device = torch.device(device)
        self._dtype = dtype
        folded = fold_norms(network).to(self._device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network: Crnn = folded

    @property
    def identity(self) -> str:
        precision = str(self._dtype).removeprefix("torch.")
        return f"torch {torch.__version__} {self._device.type} {precision}"

    @property
    def columns(self) -> int:
        return columns_on(self._device)

    @torch.inference_mode()
    def logits(self, batch: LineBatch) -> Logits:
        images = torch.from_numpy(batch.images).to(self._device)
        ink = ((255 - images).float() / 255).unsqueeze(1)  # (B, 1, 64, W)
        widths = torch.from_numpy(batch.widths).to(self._device)
        ink = ink.contiguous(memory_format=torch.channels_last)
        reduced = self._dtype != torch.float32
        with torch.autocast(self._device.type, self._dtype, enabled=reduced):
            values, lengths = self._network(ink, widths)
        return Logits(values=values.float().cpu().numpy(), lengths=lengths.cpu().numpy())

    def warm_up(self) -> None:
        blank = np.full((1, LINE_HEIGHT, _WARM_UP_WIDTH), 255, np.uint8)
        self.logits(LineBatch(images=blank, widths=np.array([_WARM_UP_WIDTH])))


def columns_on(device: torch.device) -> int:
    """Columns of a batch that suit `device` and fill at most a quarter of its free memory."""
    if device.type != "cuda":
        return CPU_COLUMNS
    free, _ = torch.cuda.mem_get_info(device)
    return max(CPU_COLUMNS, min(_GPU_COLUMNS, free // 4 // _COLUMN_BYTES))
