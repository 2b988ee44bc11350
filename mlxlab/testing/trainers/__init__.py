"""For people who write trainers, or who want to test something else without a training."""

from mlxlab.testing.trainers.conformance import TrainerConformance
from mlxlab.testing.trainers.material import ToyArena, toy_corpus
from mlxlab.testing.trainers.recording import GIVEN, RecordingConfig, RecordingTrainer

__all__ = [
    "GIVEN",
    "RecordingConfig",
    "RecordingTrainer",
    "ToyArena",
    "TrainerConformance",
    "toy_corpus",
]
