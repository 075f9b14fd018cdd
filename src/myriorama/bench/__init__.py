"""Benchmarks: each measures against a reference in the same run, on a scratch house of its own."""
