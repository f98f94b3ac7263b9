"""Trains the network that finds lines: `hwr train-layout`."""
