"""The kinds of faults in words for a person who chooses one; `faults.kinds` has the table of what each does exactly."""

from __future__ import annotations

from collections.abc import Mapping

from tazapay_lightning_emulator.faults.kinds import FaultKind

GROUPS: Mapping[str, Mapping[FaultKind, str]] = {
    "Stored, and the reply is lost": {
        "reset_after_commit": "the connection is reset",
        "close_mid_body": "the connection ends in the middle of the reply",
        "status_after_commit": "an error status, by default 503",
        "html_after_commit": "a page of HTML, by default with 502",
        "delay_after_commit": "the reply comes late",
    },
    "Not stored": {
        "reset_before_commit": "the connection is reset",
        "status_before_commit": "an error status, by default 503",
        "html_before_commit": "a page of HTML, by default with 502",
        "refuse": "reset, and then no connection is accepted for a second",
    },
    "Stored late": {"delay_before_commit": "nothing happens for a while"},
    "Stored, and the reply cannot be read": {
        "truncated_json": "half of the body",
        "bad_gzip": "gzip that is none, or is cut off",
        "wrong_content_length": "a length that is not that of the body",
        "drip": "one byte at a time",
        "huge_body": "100 MB of blanks, then the reply",
        "gzip_bomb": "the same, in a small gzip",
        "odd_encoding": "a Content-Encoding that is none",
    },
    "Stored, and the reply is wrong": {
        "wrong_amount": "another amount",
        "stale_reply": "the reply of another invoice",
        "foreign_reply": "the reply of another invoice over the same amount",
        "answer_twice": "the same reply a second time",
        "zero_times": "times of the year 1",
    },
}
