"""The commands of `hwr`. Heavy modules are imported by the commands that need them."""
