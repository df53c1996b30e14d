"""Figures of this machine, and ratios beside peers: `make bench` prints them and says how each was measured."""
