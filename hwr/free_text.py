"""What documents are where nobody says what they are."""

#: The profile of a document of which nothing is known.
FREE_TEXT = "page"
