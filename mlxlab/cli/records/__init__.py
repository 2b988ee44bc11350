"""Recorded runs for people and for other programs."""
