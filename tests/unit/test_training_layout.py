"""The layout network is trained here for a few steps, on pages drawn by these tests."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.random import default_rng
from numpy.typing import NDArray

from hwr.errors import TrainingDataError, TrainingStopped
from hwr.layout.graph import HEIGHTS, INK, MARKS, write_graph
from hwr.model.files import write_tensors
from hwr.training.layout.batches import Batch, Views
from hwr.training.layout.command import lines_to_draw, train_layout
from hwr.training.layout.cutouts import Cutout, Shelf, cut_out, words_within
from hwr.training.layout.drawn_pages import draw_page
from hwr.training.layout.lettering import lettered
from hwr.training.layout.network import LayoutNetwork, deterministic
from hwr.training.layout.pages import KnownLine, KnownPage, tuning_pages
from hwr.training.layout.recipe import LayoutRecipe
from hwr.training.layout.targets import targets_of
from hwr.training.layout.trainer import LayoutTrainer
from hwr.training.layout.views import view
from hwr.training.layout.weights import WEIGHTS, load_weights, save_weights, tensors_of

Grey = NDArray[np.uint8]
TEXTS = ("every good boy deserves", "a fair jig of plums", "Nantes le 4 mai", "No 12")
SMALL = LayoutRecipe(steps=4, batch=1, side=128, warmup=2)


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return Shelf(lettered(TEXTS * 2))


def run(folder: Path, shelf: Shelf, *, until: int | None = None) -> LayoutTrainer:
    trainer = LayoutTrainer(folder, SMALL)
    trainer.run(Views([], shelf, SMALL), until=until)
    return trainer


def test_a_run_that_stops_ends_with_the_same_weights(tmp_path: Path, shelf: Shelf) -> None:
    whole = run(tmp_path / "whole", shelf)
    run(tmp_path / "halves", shelf, until=2)
    halves = run(tmp_path / "halves", shelf)
    for own, other in ((whole.network, halves.network), (whole.average, halves.average)):
        for name, value in own.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name
    one, two = ((tmp_path / f / WEIGHTS).read_bytes() for f in ("whole", "halves"))
    assert one == two


class Asking(Views):
    """Views of which one sends this process SIGTERM."""

    def batch(self, step: int) -> Batch:
        if step == 1:
            signal.raise_signal(signal.SIGTERM)
        return super().batch(step)


def test_a_run_that_is_asked_to_end_keeps_what_it_has_learnt(tmp_path: Path, shelf: Shelf) -> None:
    with pytest.raises(TrainingStopped, match="step 2"):
        LayoutTrainer(tmp_path, SMALL).run(Asking([], shelf, SMALL))
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2


def test_training_lowers_the_loss(tmp_path: Path, shelf: Shelf) -> None:
    recipe = replace(SMALL, steps=40)
    trainer = LayoutTrainer(tmp_path, recipe)
    views = Views([], shelf, recipe)
    losses = [trainer._train(views.batch(0)) for _ in range(14)]
    assert losses[-1] < 0.9 * losses[0]


def test_another_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(TrainingDataError, match=r"checkpoint\.pt"):
        LayoutTrainer(tmp_path, SMALL)


@pytest.mark.parametrize("name", ["seed", "batch", "side", "drawn"])
def test_a_run_does_not_go_on_with_other_views(name: str, tmp_path: Path, shelf: Shelf) -> None:
    run(tmp_path, shelf, until=1)
    other = replace(SMALL, **{name: 2 * getattr(SMALL, name)})
    with pytest.raises(TrainingDataError, match=f"its {name} is"):
        LayoutTrainer(tmp_path, other)


def test_a_run_goes_on_for_more_steps_at_another_rate(tmp_path: Path, shelf: Shelf) -> None:
    run(tmp_path, shelf, until=1)
    LayoutTrainer(tmp_path, replace(SMALL, steps=8, rate=1e-3))


def test_the_graph_answers_as_the_network_does() -> None:
    import onnxruntime

    network = deterministic(3)
    ink = torch.rand(2, 4, 64, 32)
    network.train()
    network(ink)  # so that the batch normalisation has something to fold
    rounded = LayoutNetwork()
    weights = tensors_of(network)
    rounded.load_state_dict({n: torch.from_numpy(v) for n, v in weights.items()}, strict=False)
    pixels = default_rng(1).integers(0, 256, (1, 4, 48, 80), np.uint8)
    with torch.no_grad():
        wanted = rounded.eval()(torch.from_numpy(pixels) / 255)
    session = onnxruntime.InferenceSession(write_graph(weights), providers=["CPUExecutionProvider"])
    answers = session.run([MARKS, HEIGHTS], {INK: pixels})
    assert [answer.shape for answer in answers] == [(1, 2, 48, 80), (1, 2, 24, 40)]
    for answer, want in zip(answers, wanted, strict=True):
        assert np.abs(answer - want.numpy()).max() < 1e-3


def test_targets_lie_on_the_line() -> None:
    baseline, outline = [[40, 50], [120, 60]], [[40, 30], [120, 40], [120, 64], [40, 54]]
    line = KnownLine(baseline=np.array(baseline, float), polygon=np.array(outline, float))
    targets = targets_of([line], (96, 192), unknown=10)
    assert targets.marks[0, :, 20].argmax() == 55
    assert targets.marks[0, :, 5].max() == 0
    row, column = divmod(int(targets.marks[1, :, :20].argmax()), 20)
    assert row == 50
    assert column in (9, 10)
    assert targets.marks[1, :, 20].max() == 0
    up, down = np.exp(targets.heights[:, 27, 10])
    assert 18 <= up <= 22
    assert 3 <= down <= 6
    assert targets.counted[:10].max() == 0
    assert targets.counted[10:].min() == 1
    assert targets.counted[50, 10] > targets.counted[50, 25]


def test_lines_off_the_view_leave_no_trace() -> None:
    off = KnownLine(baseline=np.array([[500.0, 20.0], [900.0, 20.0]]), polygon=None)
    above = KnownLine(baseline=np.array([[10.0, -80.0], [90.0, -80.0]]), polygon=None)
    targets = targets_of([off, above], (64, 128), unknown=0)
    assert targets.marks.max() == 0
    assert targets.known.max() == 0


def test_marks_move_with_their_pixels() -> None:
    image = np.full((700, 600), 255, np.uint8)
    cv2.line(image, (100, 300), (500, 320), 0, 5)
    line = KnownLine(baseline=np.array([[100.0, 300.0], [500.0, 320.0]]), polygon=None)
    page = KnownPage(collection="drawn", image=image, lines=[line], height=20)
    for seed in range(6):
        seen = view(page, 640, default_rng(seed))
        for x, y in seen.lines[0].baseline:
            if 5 < x < 635 and 5 < y < 635:
                around = seen.image[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
                assert around.min() < seen.image.mean() - 30


def test_drawn_pages_are_the_same_for_the_same_seed(shelf: Shelf) -> None:
    pages = [draw_page(shelf, default_rng(seed)) for seed in (4, 4, 5, 6)]
    assert (pages[0].image == pages[1].image).all()
    for page in pages:
        assert page.height > 5
        for line in page.lines:
            assert (line.baseline >= 0).all()
            assert (line.baseline < page.image.shape[::-1]).all()


def test_the_foot_of_a_cut_out_line_is_its_baseline() -> None:
    image = lettered(["a fair man came in"])[0].load()
    cutout = cut_out(image)
    assert abs(cutout.foot - 44) <= 3
    assert abs(cutout.slope) < 0.02


def test_words_are_cut_between_letters_that_stand_apart() -> None:
    cutout = cut_out(lettered(["every   good   boy   does   fine"])[0].load())
    room = cutout.cover.shape[1] // 2
    part = words_within(cutout, room, None, default_rng(1))
    assert part is not None
    assert 0.2 * room < part.cover.shape[1] <= room
    assert words_within(cutout, 3, None, default_rng(1)) is None


def test_a_line_too_faint_to_be_cut_out_is_none() -> None:
    cover = np.zeros((40, 300), np.float32)
    cover[20, ::4] = 1
    faint = Cutout(cover=cover, foot=30.0, slope=0.0)
    assert words_within(faint, 300, None, default_rng(1)) is None
    cover[16:24, ::4] = 1
    assert words_within(faint, 300, None, default_rng(1)) is not None


def test_a_rule_beside_a_line_is_no_word_of_it() -> None:
    cover = np.zeros((40, 120), np.float32)
    cover[:, 2:5] = 1  # as high as the line
    cover[12:30, 40:44] = cover[12:30, 60:90] = 1  # a thin figure, and a word
    cutout = Cutout(cover=cover, foot=30, slope=0)
    part = words_within(cutout, 120, None, default_rng(1))
    assert part is not None
    assert part.cover.shape[1] == 50
    only_rule = replace(cutout, cover=cover[:, :20])
    assert words_within(only_rule, 120, None, default_rng(1)) is not None


def test_figures_are_short_lines_of_any_hand(shelf: Shelf) -> None:
    short = Shelf([*lettered(TEXTS), *lettered(["12", "-"])])
    assert {line.text for line in short.figures(default_rng(1))} == {"12"}
    assert shelf.figures(default_rng(1))


def write_page(folder: Path, name: str) -> None:
    image = np.full((400, 300), 250, np.uint8)
    cv2.putText(image, "a line", (40, 200), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2)
    cv2.imwrite(str(folder / f"{name}.png"), image)
    polygon = [[40, 170], [200, 170], [200, 210], [40, 210]]
    line = {"order": 0, "text": "a line", "polygon": polygon, "baseline": [[40, 200], [200, 200]]}
    text = json.dumps({"image": f"{name}.png", "lines": [line]})
    (folder / f"{name}.json").write_text(text, encoding="utf-8")


def write_pack(folder: Path, name: str, paths: list[str]) -> None:
    import zipfile

    rows = ["path\ttext\twriter\tsplit", *(f"{path}\ta line\tw\ttrain" for path in paths)]
    (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        for path in paths:
            data = cv2.imencode(".jpg", lettered(["a line"])[0].load())[1].tobytes()
            archive.writestr(path, data)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    (tmp_path / "lines").mkdir()
    for name in ("old_one", "old_two", "old_three"):
        write_page(tmp_path / "pages", name)
    write_pack(tmp_path / "lines", "old_lines", ["one_000.jpg", "three_001.jpg", "two_002.jpg"])
    write_pack(tmp_path / "lines", "fields", ["crop.jpg"])
    return tmp_path


def test_held_out_pages_and_their_lines_are_never_learned_from(data: Path) -> None:
    # Sorted by name: one, three, two; the second is held out.
    (data / "pages" / "old_three.json").write_text("broken", encoding="utf-8")
    assert len(tuning_pages(data / "pages")) == 2
    names = {line.name for line in lines_to_draw(data, {"old"})}
    assert names == {"one_000.jpg", "two_002.jpg"}


def test_the_command_trains_and_writes_weights(data: Path, tmp_path: Path) -> None:
    train_layout(data, tmp_path / "run", replace(SMALL, steps=2))
    assert (tmp_path / "run" / WEIGHTS).stat().st_size > 100_000


def test_pages_without_lines_of_their_collection_are_told(data: Path, tmp_path: Path) -> None:
    (data / "lines" / "old_lines.tsv").unlink()
    with pytest.raises(TrainingDataError, match=r"after their collections \(old\)"):
        train_layout(data, tmp_path / "run", SMALL)


def test_a_run_starts_from_the_weights_of_another(data: Path, tmp_path: Path) -> None:
    one = LayoutTrainer(tmp_path / "one", SMALL)
    save_weights(tmp_path / "one" / WEIGHTS, one.network)
    other = replace(SMALL, seed=SMALL.seed + 1, steps=1, rate=1e-9)
    train_layout(data, tmp_path / "two", other, tmp_path / "one")
    fresh = deterministic(other.seed).state_dict()
    before, after = (load_weights(tmp_path / name).state_dict() for name in ("one", "two"))
    assert all(torch.allclose(before[n], after[n], atol=1e-3) for n in before if "running" not in n)
    assert not torch.allclose(after["marks.weight"], fresh["marks.weight"], atol=1e-3)


def test_weights_of_another_network_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    for content in (b"no weights", b""):
        path.write_bytes(content)
        with pytest.raises(TrainingDataError, match=r"other\.safetensors"):
            load_weights(path)
    with pytest.raises(TrainingDataError, match=r"layout\.safetensors"):
        load_weights(tmp_path)
    tensors = tensors_of(deterministic(1))
    wide = {**tensors, "marks.bias": np.zeros(3, np.float16)}
    for wrong in ({n: v for n, v in tensors.items() if n != "marks.bias"}, wide):
        write_tensors(path, wrong)
        with pytest.raises(TrainingDataError, match=r"marks\.bias"):
            load_weights(path)


def test_a_folder_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no transcribed page"):
        tuning_pages(tmp_path)
