"""What can go wrong, one class for each boundary that it can go wrong at.

    MlxError                     everything the command line prints as one line
    ├── UsageError               bad input from the user: exit status 2
    │   ├── UnknownComponent     a component name that nothing registers
    │   ├── WrongOption          an option that a component has not, or not with this value
    │   └── MissingExtra         a package that an option needs is not installed
    ├── PluginError              a named plugin could not be loaded or broke its promise
    ├── TaskError                a task's files or grader
    ├── SandboxError             the engine below a sandbox, never the code that runs in it
    │   └── SandboxUnavailable   this machine cannot give the isolation that was asked for
    ├── PolicyError              a model or its provider; knows whether another try makes sense
    │   ├── ContextTooLong       the prompt is longer than the model takes; a shorter one may do
    │   ├── CutOff               no whole answer came to a call that may have been billed
    │   └── TimeUp               the run's time was over before a failing call was answered
    ├── BudgetSpent              a call that the budget allows no more; the run ends in order
    ├── RecordError              a run folder that cannot be read or is in use
    └── StateNotKept             a workspace that could not be recorded; the step is, without it

What the agent's code does wrong is never an exception: it is a step with a status.
"""

from __future__ import annotations


class MlxError(Exception):
    """An error for people: what happened, where, and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = str(message)  # who passes an error on may make it of the error itself
        self.hint = hint

    def __str__(self) -> str:
        ended = not self.hint or self.message.rstrip().endswith((".", "!", "?", ":", "…"))
        return f"{self.message.rstrip()}{'' if ended else '.'} {self.hint}".strip()


class UsageError(MlxError):
    """The user asked for something that cannot be: exit status 2."""

    exit_code = 2


class UnknownComponent(UsageError):
    """No installed distribution registers a component of this name."""


class WrongOption(UsageError):
    """An option that a component does not have, or that does not take this value.

    Args:
        message: what is wrong.
        hint: what the user can do.
        option: which option; the empty text where it is about several together.
    """

    def __init__(self, message: str, hint: str = "", *, option: str = "") -> None:
        super().__init__(message, hint)
        self.option = option


class MissingExtra(UsageError):
    """A package that an optional feature needs is not installed.

    Args:
        feature: what needs it, as the beginning of a sentence.
        extra: the extra that brings it.
        distribution: whose extra it is; a plugin's own name for one of its own.
    """

    def __init__(self, feature: str, extra: str, distribution: str = "mlxlab") -> None:
        super().__init__(
            f"{feature} needs packages that are not installed.",
            f"Install them with: pip install '{distribution}[{extra}]'",
        )


class PluginError(MlxError):
    """A named plugin could not be loaded, or broke its promise.

    Args:
        message: what happened.
        hint: what the user can do.
        owner: whose call failed, where one did.
        call: which call.
        asked: the object that was called, where it is not the component itself: a task's grader.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        owner: str = "",
        call: str = "",
        asked: object = None,
    ) -> None:
        super().__init__(message, hint)
        self.owner = owner
        self.call = call
        self.asked = asked


def broken(who: str, call: str, problem: str, hint: str = "", asked: object = None) -> PluginError:
    """A promise that a component's call did not keep: `policy 'x' of y 1.0: act returned int`."""
    return PluginError(f"{who}: {call} {problem}.", hint, owner=who, call=call, asked=asked)


class TaskError(MlxError):
    """A task's files, metric or grader are not usable."""

    exit_code = 2


class SandboxError(MlxError):
    """The engine below a sandbox failed; the code that runs in it never raises this."""


class SandboxUnavailable(SandboxError):
    """This machine cannot give the isolation that was asked for."""

    exit_code = 2


class PolicyError(MlxError):
    """A model or its provider failed.

    Args:
        message: what happened.
        hint: what the user can do.
        retryable: whether the same call may succeed later.
        retry_after_s: the provider's own wish for the wait, in seconds.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        retryable: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class ContextTooLong(PolicyError):
    """The conversation is longer than the model takes: the Runner tries a shorter one."""


class CutOff(PolicyError):
    """A call that was sent and got no whole answer: nobody knows whether it was billed."""


class TimeUp(PolicyError):
    """A failing call cannot be tried again within the run's own time limit."""


class BudgetSpent(MlxError):
    """The budget allows no further call: the Runner ends the run in order."""


class RecordError(MlxError):
    """A run folder that cannot be read, or that another process is writing."""


class StateNotKept(MlxError):
    """A workspace could not be recorded: too large, or the disk is full. The step stays."""
