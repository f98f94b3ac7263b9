"""The recogniser: alphabet, line images, the CRNN and the shipped weights."""
