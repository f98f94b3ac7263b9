"""Names that settings and profiles share; read without NumPy, so that the API can check them."""

#: Before the file of a decoder's lexicon.
LEXICON = "lexicon:"
