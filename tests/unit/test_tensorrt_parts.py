"""Width buckets, and the exported graphs: the same numbers as eager at any shape of a bucket."""

import pytest
import torch
from tensorrt_doubles import small_network

from hwr.batching import BatcherLimits
from hwr.engines.tensorrt_buckets import BUCKETS, COLUMNS, Bucket, bucket_of
from hwr.engines.tensorrt_parts import parts_of, weights_digest
from hwr.errors import EngineError
from hwr.model.line_image import LINE_HEIGHT, MAX_WIDTH, WIDTH_STEP
from hwr.model.network import fold_norms


def test_every_width_has_the_smallest_bucket_that_holds_it() -> None:
    for width in range(WIDTH_STEP, MAX_WIDTH + 1, WIDTH_STEP):
        bucket = bucket_of(width)
        assert bucket == min((b for b in BUCKETS if width <= b.widest), key=lambda b: b.widest)
        assert bucket.narrowest <= max(width, BUCKETS[0].narrowest)


def test_no_line_is_wider_than_the_last_bucket() -> None:
    with pytest.raises(EngineError, match="6152 pixels wide"):
        bucket_of(MAX_WIDTH + WIDTH_STEP)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_the_usual_shape_is_what_the_batcher_gives(bucket: Bucket) -> None:
    limits = BatcherLimits()
    assert limits.padded_columns == COLUMNS
    assert bucket.usual_lines * bucket.widest <= COLUMNS
    assert 1 <= bucket.usual_lines <= bucket.most_lines
    # A bucket of the batcher lies in one of ours, so that its batches run on one engine.
    assert bucket.widest % limits.bucket == 0


@pytest.mark.parametrize("bucket", [BUCKETS[0], BUCKETS[-1]])
def test_an_exported_part_gives_what_the_module_gives(bucket: Bucket) -> None:
    network = fold_norms(small_network())
    backbone, head = (part.export().module() for part in parts_of(network, bucket))
    middle = (bucket.narrowest + bucket.widest) // 16 * 8
    for lines, width in [
        (1, bucket.narrowest),
        (1, bucket.widest),
        (2, middle),
        (bucket.usual_lines, bucket.widest),
        (bucket.most_lines, middle),
    ]:
        ink = torch.rand(lines, 1, LINE_HEIGHT, width)
        widths = torch.randint(1, width // WIDTH_STEP + 1, (lines,)) * WIDTH_STEP
        with torch.inference_mode():
            features = network.backbone(ink, widths)
            torch.testing.assert_close(backbone(ink, widths), features, atol=1e-6, rtol=0)
            sequence = torch.rand(lines, width // network.config.stride, 2 * network.config.hidden)
            torch.testing.assert_close(head(sequence), network.head(sequence), atol=1e-6, rtol=0)


def test_a_part_names_the_arguments_of_its_module() -> None:
    for part in parts_of(fold_norms(small_network()), BUCKETS[0]):
        forward = type(part.module).forward
        names = forward.__code__.co_varnames[1 : forward.__code__.co_argcount]
        assert [inputs.name for inputs in part.inputs] == list(names)


def test_the_digest_of_weights_sees_values_types_and_names() -> None:
    head = fold_norms(small_network()).head
    first = weights_digest(head)
    assert weights_digest(fold_norms(small_network()).head) == first
    assert weights_digest(fold_norms(small_network()).head.half()) != first
    assert weights_digest(torch.nn.Sequential(head)) != first
    with torch.no_grad():
        head.classify.bias[0] += 1e-3
    assert weights_digest(head) != first
