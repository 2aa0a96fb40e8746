"""Take what must not be shown out of an error: error reporters send its causes, and the local variables of its frames.

Frames of libraries hold the request with its credentials, and ours hold the reply, which may repeat them. A frame that
is over is emptied; its file and its line stay. Frames that still run are those of `exchange.Call` and of the clients,
which hold nothing in plain, and those of the caller.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

from tazapay_lightning.errors import APIConnectionError, APIStatusError, RequestFailedError, TazapayError
from tazapay_lightning.transport.redaction import Redaction, each_once
from tazapay_lightning.values.safe_text import printable

_REDACTED_ALREADY = (APIConnectionError, APIStatusError, RequestFailedError, BaseExceptionGroup)


@contextmanager
def frames_emptied() -> Iterator[None]:
    """Let no error leave the block through a frame that shows its local variables."""
    handled = sys.exception()
    try:
        yield
    except BaseException as leaving:
        clean(leaving, Redaction(), before=handled)
        raise


def clean(leaving: BaseException, redaction: Redaction, *, before: BaseException | None) -> None:
    """Empty the frames that an error and its causes have left, and redact what they say.

    Args:
        leaving: what is being raised.
        redaction: what must not be repeated; a peer may have sent back what it got.
        before: what the caller was handling already: it and its frames are none of ours.
    """
    for link in chain(leaving, before=before):
        for frame, _ in walk_tb(link.__traceback__):
            # The garbage collector sees what a frame holds once it is over. Clearing it earlier would end, before
            # Python 3.13, a task that got the same error and waits while it handles it.
            if frame.f_code in gc.get_referents(frame):
                frame.clear()
        if not isinstance(link, _REDACTED_ALREADY):
            # of a mismatch it is the id that comes from the service, and the rest is to be kept whatever the memo is
            name = printable(getattr(getattr(link, "invoice", None), "id", ""), most=80)
            link.args = (
                (str(link).replace(name, redaction.text(name)),) if name else tuple(map(redaction.value, link.args))
            )
        for name in ("_request", "response"):  # httpx's, with all headers
            vars(link).pop(name, None)
        if not isinstance(link, TazapayError | BaseExceptionGroup):  # ours has to keep its idempotency key
            vars(link).update({name: redaction.value(value) for name, value in vars(link).items()})


def chain(error: BaseException, *, before: BaseException | None = None) -> Iterator[BaseException]:
    """Yield an error and all that it is chained to or made of, each once, but nothing from `before` on."""

    def parts(link: BaseException) -> list[BaseException]:
        inside = link.exceptions if isinstance(link, BaseExceptionGroup) else ()
        return [each for each in (*inside, link.__context__, link.__cause__) if each is not None and each is not before]

    return each_once([error], parts)
