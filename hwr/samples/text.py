"""What the samples say. All of it is made up for them."""

from calendar import month_name
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Question:
    """A printed question and what a candidate answered."""

    #: Lines as printed
    asked: tuple[str, ...]
    answer: str


SCHOOL = "Westbrook College"
PAPER = "General Science - Mid-term examination"
TIME = "Time allowed: 1 hour 30 minutes. Answer all questions in ink."

QUESTIONS = (
    Question(
        asked=("Explain why the sky looks blue on a clear day.",),
        answer="Sunlight is a mixture of all colours. The small molecules of the air scatter "
        "short waves much more than long ones, so blue light reaches our eyes from every "
        "direction while red light passes straight through.",
    ),
    Question(
        asked=("A car travels 150 km in 2 hours and 30 minutes.", "Find its average speed."),
        answer="Average speed = distance / time = 150 km / 2.5 h = 60 km per hour. "
        "It may have gone faster or slower on the way.",
    ),
    Question(
        asked=("Name the parts of a plant cell that an animal cell does not have.",),
        answer="A plant cell has a stiff cell wall, a large vacuole filled with sap, and "
        "chloroplasts, which catch the light for making sugar.",
    ),
    Question(
        asked=("Why does ice float on water? What does this mean for a lake in winter?",),
        answer="When water freezes its molecules arrange themselves in an open pattern that "
        "takes up more room, so ice is lighter than water. A lake freezes from the top and "
        "the fish survive in the warmer water below.",
    ),
    Question(
        asked=("Describe one experiment that shows that air has weight.",),
        answer="We hung two equal balloons from the ends of a ruler and balanced it in the "
        "middle. Then we let the air out of one with a pin. The other side went down, so the "
        "air in the full balloon must weigh something.",
    ),
    Question(
        asked=("What is the difference between weather and climate?",),
        answer="Weather is what happens today or this week. Climate is the average over thirty "
        "years or more. One cold April does not prove anything about the climate.",
    ),
    Question(
        asked=(
            "Three lamps of 6 ohms each are joined in series to a 9 V battery.",
            "What current flows?",
        ),
        answer="The total resistance is 6 + 6 + 6 = 18 ohms. I = V / R = 9 / 18 = 0.5 A. Every "
        "lamp carries the same current because there is only one path.",
    ),
    Question(
        asked=("How do vaccines protect a person from disease?",),
        answer="A vaccine shows the body a harmless part of the germ. The white blood cells "
        "learn to make the right antibodies and some of them remember it, so that the next "
        "time the answer comes quickly.",
    ),
    Question(
        asked=("State what happens when zinc is put into dilute acid.",),
        answer="Bubbles of hydrogen rise from the metal and the test tube becomes warm. The "
        "zinc slowly disappears because it forms a salt that dissolves.",
    ),
    Question(
        asked=("Why do we see lightning before we hear thunder?",),
        answer="Light travels about a million times faster than sound. If I count nine seconds "
        "between the flash and the bang, the storm is roughly 3 km away.",
    ),
    Question(
        asked=("Explain how a seed can end up far away from its parent plant.",),
        answer="Some seeds have wings or hairs and fly with the wind. Others stick to the fur "
        "of animals, or birds eat the fruit and drop the seed somewhere else. Coconuts even "
        "swim across the sea.",
    ),
    Question(
        asked=("What keeps the Moon on its path around the Earth?",),
        answer="The Earth pulls the Moon towards it by gravity. The Moon also moves sideways, "
        "so it keeps falling around the Earth and never hits it.",
    ),
    Question(
        asked=("Give two ways of saving energy at home and say why each works.",),
        answer="Firstly, a lid on the pan, because less heat escapes with the steam. Secondly, "
        "thick curtains: they trap a layer of air, and still air is a poor conductor.",
    ),
    Question(
        asked=("A student says: 'Heavy things always fall faster.' Do you agree?",),
        answer="No. Without air everything falls at the same rate. A feather is slow only "
        "because the air holds it back. Galileo is said to have tried it from a tower in Pisa.",
    ),
)

ESSAYS = (
    Question(
        asked=("Essay. Describe a discovery that changed how people live.",),
        answer="I have chosen the discovery that tiny living things cause disease. For thousands "
        "of years people blamed bad air or bad luck when they fell ill. Then lenses became good "
        "enough to show that a drop of pond water is full of life. At first nobody believed that "
        "creatures so small could harm a grown man. The proof came step by step. Broth that was "
        "boiled in a closed flask stayed clear, but as soon as dust could enter, it turned cloudy. "
        "Doctors who washed their hands lost far fewer mothers than doctors who did not. Later the "
        "germs themselves were stained, counted and grown on plates of jelly. What changed? Towns "
        "laid sewers and cleaned their drinking water. Surgeons boiled their knives. Milk was "
        "heated before it was sold. My great-grandmother was one of nine children, and only four "
        "of them grew up; in my family everybody of my age is alive. I think no machine has saved "
        "as many lives as soap, clean water and this one idea. It also shows that a discovery "
        "needs patience: people must be willing to look, to doubt and to try again.",
    ),
    Question(
        asked=("Essay. Should our town build wind turbines on the hill?",),
        answer="Our town should build them, but not all at once. The hill lies open to the west, "
        "and in most months the wind there is strong and steady. Six turbines would make enough "
        "power for about four thousand homes. They burn nothing, so the air stays clean and the "
        "price of the power does not jump when oil becomes dear. Some neighbours say that the "
        "turbines spoil the view. I understand this, yet the old chimney of the brick works was "
        "called ugly too, and now it is on our postcards. A better argument is about the birds. "
        "Buzzards nest on the north side, and they use the same wind. We should therefore begin "
        "with two turbines on the south side, count the birds for a year and stop the blades in "
        "the weeks when the young ones learn to fly. The money could be raised by selling shares "
        "to people who live here. Then the profit would stay in the town and could pay for the "
        "new library. To sum up: begin small, measure honestly and decide again.",
    ),
)

CANDIDATES = (
    "Eleanor Whitfield",
    "Marcus Oyelaran",
    "Priya Raghunathan",
    "Tom Birkett",
    "Sofia Marchetti",
    "Hannah Lindqvist",
)
PAYEES = (
    "Greenfield Plumbing Ltd",
    "Dr. Amelia Hartley",
    "Oakwood Nursery School",
    "J. P. Kowalski & Sons",
    "Northgate Cycle Repairs",
    "Riverside Tennis Club",
)
MEMOS = ("Invoice 20417", "boiler repair", "May tuition", "rent, flat 3B", "new front wheel")
BANKS = ("Harbour & Vale Bank", "First Millbrook Savings", "Cotswold Mutual")
STREETS = ("14 Tanner Row, Millbrook", "Unit 6, Kiln Lane, Westbrook", "88 Quay Street, Harbour")
# fmt: off
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)
# fmt: on
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def number_in_words(number: int) -> str:
    """0 … 999,999 as it is said: 1250 is "one thousand two hundred fifty"."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return _joined(f"{ONES[number // 100]} hundred", number % 100)
    return _joined(f"{number_in_words(number // 1000)} thousand", number % 1000)


def _joined(head: str, rest: int) -> str:
    return f"{head} {number_in_words(rest)}" if rest else head


def legal_amount(cents: int) -> str:
    """The amount as a cheque's long line has it: "Forty-two and 50/100"."""
    return f"{number_in_words(cents // 100).capitalize()} and {cents % 100:02d}/100"


def courtesy_amount(cents: int) -> str:
    """The amount in figures: "1,250.75"."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def any_date(rng: np.random.Generator) -> str:
    """A day as people write it, in one of three ways."""
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), 2024
    ways = (
        f"{day} {month_name[month]} {year}",
        f"{month_name[month]} {day}, {year}",
        f"{day:02d}/{month:02d}/{year}",
    )
    return ways[int(rng.integers(len(ways)))]
