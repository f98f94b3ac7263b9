"""hwr reads handwriting: documents in, lines of text out."""
