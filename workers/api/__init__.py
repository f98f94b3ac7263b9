"""The HTTP interface: submit, poll, results, cancel. Imports no torch, no OpenCV and no model."""
