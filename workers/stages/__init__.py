"""The three stages of a document: split, read, publish."""
