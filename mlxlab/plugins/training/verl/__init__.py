"""Recorded states for verl: a parquet file, and the reward function beside it."""

from mlxlab.plugins.training.verl.export import VerlConfig, VerlExport, export_verl

__all__ = ["VerlConfig", "VerlExport", "export_verl"]
