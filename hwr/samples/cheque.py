"""Cheques that somebody has written, front and back."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from hwr.samples.fonts import Face
from hwr.samples.hand import Writer, choose_writer
from hwr.samples.scanner import Scan, scan
from hwr.samples.sheet import Colour, Sheet, new_sheet
from hwr.samples.text import (
    BANKS,
    CANDIDATES,
    MEMOS,
    PAYEES,
    STREETS,
    any_date,
    courtesy_amount,
    legal_amount,
)

#: 7 by 3.1 inches at 200 dpi, in pixels
WIDTH, HEIGHT = 1400, 620
#: A line is written in so much room above its rule and below
ABOVE, BELOW = 60, 15
FORM = (70, 78, 92)
PAPERS = ((240, 246, 240), (238, 243, 249), (249, 242, 236))
PATTERNS = ((150, 196, 170), (158, 182, 214), (214, 178, 158))


@dataclass(frozen=True, kw_only=True)
class Waves:
    """Printed all over a cheque."""

    colour: Colour
    #: Pixels from one to the next.
    pitch: int = 14
    #: Share of the colour that reaches the paper, 0 to 1.
    strength: float = 0.55


@dataclass(frozen=True, kw_only=True)
class Cheque:
    """What one cheque says."""

    bank: str
    drawer: str
    street: str
    number: str
    account: str
    date: str
    payee: str
    cents: int
    memo: str
    hand: Writer


def choose_cheque(rng: np.random.Generator, face: Face) -> Cheque:
    """Some cheque, written with this font."""
    return Cheque(
        bank=_any(BANKS, rng),
        drawer=_any(CANDIDATES, rng),
        street=_any(STREETS, rng),
        number=f"{rng.integers(100, 9999):06d}",
        account=f"{rng.integers(10**7, 10**8)} {rng.integers(10**5, 10**6)}",
        date=any_date(rng),
        payee=_any(PAYEES, rng),
        cents=int(rng.integers(1_500, 480_000)),
        memo=_any(MEMOS, rng),
        hand=choose_writer(rng, face),
    )


def _any(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def cheque_front(
    cheque: Cheque,
    rng: np.random.Generator,
    *,
    pattern: bool,
    rows: int = 1,
    waves: Waves | None = None,
    is_blank: bool = False,
) -> Scan:
    """The front as a scanner sees it, page 1; see `front_sheet`."""
    sheet = front_sheet(cheque, rng, pattern=pattern, rows=rows, waves=waves, is_blank=is_blank)
    return scan(sheet, 1, speckles=30)


def front_sheet(
    cheque: Cheque,
    rng: np.random.Generator,
    *,
    pattern: bool,
    rows: int = 1,
    waves: Waves | None = None,
    is_blank: bool = False,
) -> Sheet:
    """The front; `pattern` prints a security background under it.

    Its waves are pale ones unless others are given. The legal amount stands on so many rules, 1 or
    2, as French cheques have them. A blank one has only what is printed.
    """
    look = int(rng.integers(len(PAPERS)))
    sheet = new_sheet(WIDTH, HEIGHT, PAPERS[look] if pattern else (250, 250, 248), rng)
    sheet = replace(sheet, is_blank=is_blank)
    if pattern:
        _print_waves(sheet, waves or Waves(colour=PATTERNS[look]))
        _print_rosette(sheet, (1010, 330), 190, PATTERNS[look])
    _print_frame(sheet)
    _fill_top(sheet, cheque)
    _fill_middle(sheet, cheque, rows)
    _fill_bottom(sheet, cheque, (70, 420) if rows == 1 else (700, 85))
    return sheet


def _print_waves(sheet: Sheet, waves: Waves) -> None:
    """Two families of fine waves that beat against each other, as on security paper."""
    x = np.linspace(0, WIDTH, 400)
    for place in range(-20, HEIGHT + 20, waves.pitch):
        bent = 9 * np.sin(x / 47 + place / 23)
        other = 7 * np.sin(x / 31 - place / 17)
        for wave in (bent, other):
            sheet.draw(np.stack([x, place + wave], axis=1), waves.colour, strength=waves.strength)


def _print_rosette(sheet: Sheet, centre: tuple[int, int], radius: int, colour: Colour) -> None:
    """A guilloche: a curve that winds around the centre in ever shifted loops."""
    t = np.linspace(0, 2 * np.pi, 6000)
    for share in (0.5, 0.74, 1.0):
        reach = radius * share * (0.72 + 0.28 * np.sin(37 * t))
        around = np.stack([np.cos(5 * t + share), np.sin(5 * t + share)], axis=1)
        sheet.draw(np.asarray(centre) + reach[:, None] * around, colour, strength=0.5)


def _print_frame(sheet: Sheet) -> None:
    for inset in (22, 28):
        low, right = HEIGHT - inset, WIDTH - inset
        corners = [(inset, inset), (right, inset), (right, low), (inset, low), (inset, inset)]
        sheet.draw(np.asarray(corners, np.float32), FORM)


def _fill_top(sheet: Sheet, cheque: Cheque) -> None:
    sheet.print(cheque.drawer, 70, 85, 28)
    sheet.print(f"No. {cheque.number}", 1180, 85, 28)
    sheet.print(cheque.street, 70, 118, 21)
    x = sheet.print("Date", 880, 165, 22) + 14
    zone = _print_rule(sheet, "date", x, WIDTH - 70, 172)
    sheet.write(cheque.date, x + 18, 165, cheque.hand, zone)


def _fill_middle(sheet: Sheet, cheque: Cheque, rows: int) -> None:
    x = sheet.print("Pay to the order of", 70, 260, 22) + 14
    zone = _print_rule(sheet, "payee", x, 1050, 268)
    sheet.write(cheque.payee, x + 20, 260, cheque.hand, zone)
    x = sheet.print("$", 1072, 262, 34) + 10
    zone = _print_box(sheet, "courtesy amount", (x, 212, WIDTH - 66, 274))
    sheet.write(courtesy_amount(cheque.cents), x + 16, 258, cheque.hand, zone)
    for row, text in enumerate(_in_rows(legal_amount(cheque.cents), rows)):
        baseline = 346 + 72 * row
        zone = _print_rule(sheet, "legal amount", 70, 1190, baseline + 8)
        sheet.write(text, 88, baseline, cheque.hand, zone)
    sheet.print("Dollars", 1205, baseline, 22)


def _in_rows(text: str, rows: int) -> list[str]:
    """The text in so many parts of about as many words each."""
    return [" ".join(words) for words in np.array_split(text.split(), rows)]


def _print_rule(sheet: Sheet, zone: str, left: int, right: int, y: int, above: int = ABOVE) -> str:
    sheet.rule((left, y), right - left, FORM)
    return sheet.mark(zone, (left, y - above, right, y + BELOW))


def _print_box(sheet: Sheet, zone: str, box: tuple[int, int, int, int]) -> str:
    left, top, right, bottom = box
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    sheet.draw(np.asarray(corners, np.float32), FORM)
    return sheet.mark(zone, box)


def _fill_bottom(sheet: Sheet, cheque: Cheque, bank: tuple[int, int]) -> None:
    sheet.print(cheque.bank, *bank, 30)
    x = sheet.print("For", 70, 500, 22) + 12
    zone = _print_rule(sheet, "memo", x, x + 400, 508)
    sheet.write(cheque.memo, x + 16, 500, cheque.hand, zone)
    zone = _print_rule(sheet, "signature", 800, 1320, 508, above=76)
    sheet.sign(cheque.drawer, 840, 498, cheque.hand, zone)
    zone = sheet.mark("micr", (84, 542, 980, 592))
    sheet.print(f"{cheque.number}  {cheque.account}", 130, 575, 32, zone=zone)


def cheque_back(cheque: Cheque, rng: np.random.Generator) -> Scan:
    """The back, page 2: endorsed by the payee."""
    sheet = new_sheet(WIDTH, HEIGHT, (250, 250, 248), rng)
    payee = choose_writer(rng, Face.SHADOWS)
    sheet.print("Endorse here", 80, 90, 24)
    zone = sheet.mark("endorsement", (70, 120, 740, 366))
    for place, text in enumerate(("For deposit only", f"Acct {cheque.account}", cheque.payee)):
        baseline = 175 + 85 * place
        sheet.rule((80, baseline + 9), 620, FORM)
        sheet.write(text, 100, baseline, payee, zone)
    sheet.print("Do not write, stamp or sign below this line", 80, 400, 22)
    sheet.rule((80, 412), 1240, FORM)
    return scan(sheet, 2, speckles=30)


def bilevel(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Black and white as a cheque scanner makes it: (H, W, 3) → bool (H, W), true on paper."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    around = cv2.GaussianBlur(grey, (0, 0), 25)
    return np.asarray(grey > 0.8 * around.astype(np.float32), dtype=np.bool_)
