"""`hwr bench`: how fast this machine reads, and where the time goes.

Everything that is compared is measured in one run, in rounds that visit each in turn, so that a
busy machine slows all of them alike; figures are medians with the lowest and the highest round. The
method is in docs/benchmarks.md.
"""
