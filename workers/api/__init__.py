"""The HTTP interface of jobs. Imports no torch, no OpenCV and no model."""
