"""How the book's exercises judge an answer: in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch


def judge(check: Callable[..., None], *answers: object) -> None:
    """Print whether the answers pass a check, or what is wrong with them.

    Args:
        check: called with the answers; each of its asserts has a sentence
            that says what is wrong.
        answers: what the reader wrote; `...` where nothing is written yet.

    Raises:
        Exception: whatever the reader's own code raises, without the lines of
            the check, which would show what it expects.
    """
    if any(answer is ... for answer in answers):
        print("not answered yet")
        return
    try:
        check(*answers)
    except AssertionError as error:
        print(f"wrong: {error}")
    except Exception as error:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code is not check.__code__:
            trace = trace.tb_next
        raise error.with_traceback(trace and trace.tb_next) from None
    else:
        print("right")


def numbers(value: object) -> list[float]:
    """Return the numbers of an answer, in whatever they were written down.

    Args:
        value: a number, tensor or array, or a list of such, of lists as well.

    Raises:
        AssertionError: a part is none of these; the sentence says what it is.
    """
    if isinstance(value, (list, tuple)):
        return [n for part in value for n in numbers(part)]
    kind = type(value).__name__
    known = isinstance(value, (int, float)) or hasattr(value, "__array__")
    assert known, f"expected numbers, got a part of type {kind}"
    return torch.as_tensor(value).double().flatten().tolist()
