"""From logits to text: best path, and beam search with a language model, a lexicon or a grammar."""
