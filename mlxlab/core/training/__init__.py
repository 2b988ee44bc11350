"""Recorded steps as training material: what trainers read, and where they take actions."""
