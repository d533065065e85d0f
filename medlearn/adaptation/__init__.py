"""Adaptation to a new laboratory or scanner without its labels; each method is a module with pure functions."""
