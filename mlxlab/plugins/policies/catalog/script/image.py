"""The piece of a program that reads pictures and turns them into features, in plain numpy."""

from __future__ import annotations

from mlxlab.plugins.policies.catalog.problem import Problem
from mlxlab.plugins.policies.catalog.recipe import Recipe
from mlxlab.plugins.policies.catalog.script.table import read
from mlxlab.plugins.policies.catalog.script.text import dedent

_LOAD = dedent('''
    def load(path):
        """Grey pictures between 0 and 1."""
        images = np.load(path).astype(np.float32) / 255
        return images if images.ndim == 3 else images.mean(axis=-1)
''')

_DESKEW = dedent('''
    def deskew(images):
        """Shear each picture upright and centre it, by its moments."""
        rows = np.arange(images.shape[1])[:, None]
        columns = np.arange(images.shape[2])
        total = lambda values: values.sum(axis=(1, 2))[:, None, None]
        mass = total(images) + 1e-6
        row, column = total(images * rows) / mass, total(images * columns) / mass
        down, across = rows - row, columns - column
        slant = total(images * down * across) / (total(images * down**2) + 1e-6)
        source = columns + slant * down + column - columns.mean()
        left = np.clip(np.floor(source), 0, len(columns) - 2).astype(int)
        part = np.clip(source - left, 0, 1)
        near = np.take_along_axis(images, left, axis=2)
        far = np.take_along_axis(images, left + 1, axis=2)
        return (near * (1 - part) + far * part).astype(np.float32)
''')

_FLAT = dedent('''
    def flat(images):
        """Every pixel as a feature."""
        return images.reshape(len(images), -1)
''')

_EDGES = dedent('''
    def edges(images):
        """Histograms of gradient directions in cells of 4 by 4 pixels."""
        down, across = np.gradient(images, axis=(1, 2))
        length = np.hypot(down, across)
        angle = np.arctan2(down, across) / np.pi * 4 + 4
        height, width = images.shape[1] // 4, images.shape[2] // 4
        features = []
        for direction in range(8):
            distance = np.abs((angle - direction + 4) % 8 - 4)
            share = (length * np.clip(1 - distance, 0, None))[:, : height * 4, : width * 4]
            features.append(share.reshape(-1, height, 4, width, 4).sum(axis=(2, 4)))
        features = np.stack(features, axis=-1).reshape(len(images), -1)
        return np.sqrt(features / (features.sum(axis=1, keepdims=True) + 1e-6))
''')

_SHIFT = dedent('''
    def with_shifted(X, y):
        """Add copies of the pictures, moved by <far> pixel(s) each way."""
        moved = [np.roll(X, step, axis) for axis in (1, 2) for step in (-<far>, <far>)]
        return np.concatenate([X, *moved]), np.tile(y, 1 + len(moved))
''')

_READ = dedent("""
    X_train = load("input/train_images.npy")
    X_test = load("input/test_images.npy")
""")

IMPORTS = ("import numpy as np", "import pandas as pd")


def functions(recipe: Recipe) -> list[str]:
    """The functions that shape pictures."""
    views = {part.view for part in recipe.parts}
    pieces = [_LOAD]
    pieces += [_DESKEW] if recipe.deskew else []
    pieces += [_SHIFT.replace("<far>", str(recipe.shift))] if recipe.shift else []
    pieces += [_FLAT] if "pixels" in views else []
    pieces += [_EDGES] if "edges" in views else []
    return pieces


def rows(recipe: Recipe, problem: Problem) -> str:
    """The statements that end with X_train and X_test."""
    turn = "\nX_train, X_test = deskew(X_train), deskew(X_test)"
    return read(problem) + "\n" + _READ + (turn if recipe.deskew else "")
