"""Faults at random moments on a whole stack under load, and whether all is right afterwards: `make chaos`."""
