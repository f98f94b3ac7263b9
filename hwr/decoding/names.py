"""Names that settings and profiles share; read without NumPy, so that the API can check them."""

#: Before the file of a decoder's lexicon.
LEXICON = "lexicon:"
#: Before the field of a decoder of what is written one character to a box.
COMB = "comb:"

#: Largest lexicon in bytes.
MOST_LEXICON_BYTES = 16 * 2**20
LONGEST_WORD = 100


def words_of(lexicon: bytes) -> list[str]:
    """The words of a lexicon's file, UTF-8 with one a line.

    Raises:
        ValueError: it is too large, or no list of words; says what is wrong and what to do.
    """
    # Before decoding, whose error would tell of a place in 16 MiB.
    if len(lexicon) > MOST_LEXICON_BYTES:
        raise ValueError(f"it has more than {MOST_LEXICON_BYTES >> 20} MiB; list fewer words")
    try:
        words = lexicon.decode("utf-8-sig").split()
    except UnicodeDecodeError as error:
        raise ValueError(f"{error}; save it as UTF-8") from error
    if not words or max(map(len, words)) > LONGEST_WORD:
        raise ValueError(f"it needs a word of at most {LONGEST_WORD} letters on each line")
    return words
