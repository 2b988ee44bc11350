"""rich's console, with a closed pipe told as what it is."""

from __future__ import annotations

import rich.console


class Console(rich.console.Console):
    """Raises BrokenPipeError where rich would end the process with status 1."""

    def on_broken_pipe(self) -> None:
        """Let `main` end quietly, with the status that shells expect."""
        raise BrokenPipeError
