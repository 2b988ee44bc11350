"""What errors say to people."""

from __future__ import annotations

from mlxlab.core.errors import MissingExtra


def test_a_missing_extra_says_what_to_install() -> None:
    own = MissingExtra("The sandbox docker", "docker")
    assert str(own) == (
        "The sandbox docker needs packages that are not installed. "
        "Install them with: pip install 'mlxlab[docker]'"
    )
    theirs = MissingExtra("The reward brisk", "charts", distribution="brisk")
    assert theirs.hint == "Install them with: pip install 'brisk[charts]'"
    assert theirs.exit_code == 2
