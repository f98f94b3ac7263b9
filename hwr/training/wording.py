"""What drawn lines say: English, French, and words that writers of training lines wrote."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from hwr.training import french, texts
from hwr.training.texts import Prose

#: Shares of the lines where there is text for them; the others are English. A little less is drawn:
#: a font without accents draws English in place of what it cannot.
_FRENCH, _TRANSCRIBED = 0.35, 0.15
#: Share of French lines that are running text.
_RUNNING = 0.5
#: Longest passage of a transcription, in words.
_LONGEST_PASSAGE = 6


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Sources of text; without any, lines say what English forms, cheques and letters do."""

    english: Prose = field(default_factory=Prose)
    french: Prose = field(default_factory=Prose)
    #: The texts of real training lines.
    transcribed: tuple[Prose, ...] = ()

    def line(self, rng: Random) -> str:
        """The text of one line."""
        if not (self.french.words or self.transcribed):
            # Without a draw of `rng`: English lines stay what they were before there were others.
            return texts.line_text(rng, self.english)
        chance = rng.random()
        if self.french.words and chance < _FRENCH:
            return _french(rng, self.french)
        if self.transcribed and chance >= 1 - _TRANSCRIBED:
            return " ".join(self._passage(rng) for _ in range(rng.randint(1, 2)))
        return texts.line_text(rng, self.english)

    def _passage(self, rng: Random) -> str:
        return rng.choice(self.transcribed).line(rng, _LONGEST_PASSAGE)


def in_words(lines: Iterable[str]) -> tuple[Prose, ...]:
    """Texts of lines, each in its words; those without any left out."""
    return tuple(prose for prose in (Prose.of([line]) for line in lines) if prose.words)


def _french(rng: Random, prose: Prose) -> str:
    chance = rng.random()
    if chance < _RUNNING:
        return prose.line(rng)
    if chance < 0.6:
        return rng.choice((french.date, french.amount_in_words))(rng)
    return french.sentence(rng)
