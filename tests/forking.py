"""Processes of tests that begin at once: forked from one that has imported what they need."""

from multiprocessing import get_context

FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(["tests.store.days", "tests.store.recording", "tests.viewing"])
