"""The recogniser: alphabet, line images, the CRNN, CTC decoding and the shipped weights."""
