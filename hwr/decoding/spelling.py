"""How people write a word of a list."""


def forms_of(word: str) -> tuple[str, str, str]:
    """The word as listed, Capitalised and in CAPITALS."""
    return word, word.capitalize(), word.upper()
