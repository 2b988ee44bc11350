"""Selection by distance, against brute force and by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxlab.api.exploring.diversity import (
    distances,
    farthest_on_average,
    farthest_points,
    mean_distance,
)

# Five points on a line, at 0, 1, 2, 6 and 10; the distances are exact.
PLACES = np.array([0.0, 1.0, 2.0, 6.0, 10.0])
LINE = np.abs(PLACES[:, None] - PLACES)
VECTORS = st.integers(1, 12).flatmap(
    lambda rows: st.lists(
        st.lists(st.integers(-3, 3), min_size=3, max_size=3), min_size=rows, max_size=rows
    )
)


def test_by_hand_the_largest_mean_distance():
    # Sums of distances: 19, 16, 15, 19, 31.
    assert farthest_on_average(LINE, 1) == [4]
    assert farthest_on_average(LINE, 3) == [4, 0, 3]
    assert farthest_on_average(LINE, 9) == [4, 0, 3, 1, 2]


def test_by_hand_farthest_points():
    # From 10 the farthest is 0; then 6 is 4 from its nearest, and 2 is 2 from its own.
    assert farthest_points(LINE, 1) == [4]
    assert farthest_points(LINE, 3) == [4, 0, 3]
    assert farthest_points(LINE, 4) == [4, 0, 3, 2]
    assert farthest_points(LINE, 9) == [4, 0, 3, 2, 1]


def test_by_hand_the_mean_of_all_pairs():
    pairs = [abs(a - b) for a, b in combinations(PLACES, 2)]
    assert mean_distance(LINE) == pytest.approx(sum(pairs) / len(pairs)) == pytest.approx(5.0)
    assert mean_distance(LINE[:1, :1]) is None


@given(VECTORS, st.integers(1, 12))
def test_averages_against_brute_force(vectors, keep):
    between = distances(np.array(vectors, dtype=float))
    kept = farthest_on_average(between, keep)
    assert len(kept) == len(set(kept)) == min(keep, len(vectors))
    sums = [sum(row) for row in between]
    worst = min(sums[place] for place in kept)
    left = set(range(len(vectors))) - set(kept)
    assert all(sums[place] <= worst + 1e-9 for place in left)


@given(VECTORS, st.integers(1, 12))
def test_farthest_points_against_brute_force(vectors, keep):
    between = distances(np.array(vectors, dtype=float))
    chosen = farthest_points(between, keep)
    assert len(chosen) == len(set(chosen)) == min(keep, len(vectors))
    for number in range(1, len(chosen)):
        before = chosen[:number]
        nearest = {
            place: min(between[place][other] for other in before)
            for place in range(len(vectors))
            if place not in before
        }
        assert nearest[chosen[number]] == pytest.approx(max(nearest.values()))


@given(VECTORS)
def test_distances_are_cosine_distances(vectors):
    between = distances(np.array(vectors, dtype=float))
    assert (between == between.T).all()
    assert (between.diagonal() == 0).all()
    for one, other in combinations(range(len(vectors)), 2):
        a, b = np.array(vectors[one], float), np.array(vectors[other], float)
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        expected = 1 - a @ b / lengths if lengths else 1.0
        assert between[one, other] == pytest.approx(expected, abs=1e-9)
