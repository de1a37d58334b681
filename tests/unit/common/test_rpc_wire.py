"""The bytes of a call: what a stock nameko peer reads, and what our client cuts out without parsing."""

from __future__ import annotations

import time
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common import errors
from services.common.context import Context, Scope
from services.common.rpc import wire
from services.common.rpc.reply import Reply

TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(TREES, st.dictionaries(st.text().filter(lambda name: name != "content_type"), TREES, max_size=4))
def test_a_reply_is_plain_json_to_a_stock_client_and_comes_back_byte_for_byte(body, meta):
    sent = Reply(orjson.dumps(body, option=orjson.OPT_INDENT_2), meta)
    encoded = wire.encode_reply(sent)
    assert orjson.loads(encoded.raw) == {"result": {"meta": meta, "body": body}, "error": None}
    assert wire.decode_reply(*encoded) == sent


@given(st.text())
def test_a_body_of_text_travels_as_a_json_string(text):
    sent = Reply(text.encode(), {"content_type": "text/csv"})
    encoded = wire.encode_reply(sent)
    assert orjson.loads(encoded.raw)["result"]["body"] == text
    assert wire.decode_reply(*encoded) == sent


def test_an_empty_body_is_null_to_a_stock_client_and_stays_empty_for_ours():
    encoded = wire.encode_reply(Reply(b"", {"status": 204}))
    assert orjson.loads(encoded.raw)["result"]["body"] is None
    assert wire.decode_reply(*encoded) == Reply(b"", {"status": 204})


@pytest.mark.parametrize("kind", errors._all(errors.ApiError))
def test_every_error_comes_back_as_itself(kind):
    error = kind()
    encoded = wire.encode_error(error)
    described = orjson.loads(encoded.raw)["error"]
    assert described["exc_type"] == kind.__name__ and described["value"] == str(error)
    with pytest.raises(kind) as caught:
        wire.decode_reply(*encoded)
    assert type(caught.value) is kind
    assert (caught.value.body, caught.value.headers) == (error.body, error.headers)


def test_an_error_that_is_not_of_ours_shows_nothing_of_itself():
    raw = orjson.dumps(
        {
            "result": None,
            "error": {"exc_type": "E", "exc_path": "x.E", "exc_args": ["secret"], "value": "secret"},
        }
    )
    with pytest.raises(errors.ApiError) as caught:
        wire.decode_reply(raw, None)
    assert caught.value.body == {"detail": "Internal error.", "code": "internal_error"}


@pytest.mark.parametrize("result", [None, {"a": 1}, "text", b"bytes"])
def test_a_method_must_return_a_reply(result):
    with pytest.raises(TypeError):
        wire.encode_reply(result)


def test_a_deadline_is_kept_on_the_same_machine_whatever_the_way_took():
    sent = Context(Scope(frozenset({"pim"}), True), user="ana", secrets=True).within(3)
    header = wire.encode_context(sent)
    time.sleep(0.05)
    assert wire.decode_context(header) == sent


def test_a_deadline_from_another_machine_is_what_was_left_of_it(monkeypatch):
    sent = Context().within(3)
    began = time.monotonic()
    header = wire.encode_context(sent)
    monkeypatch.setattr(wire, "CLOCK", "another boot")
    time.sleep(0.05)
    got = wire.decode_context(header)
    on_the_way = time.monotonic() - began
    assert 0.05 - 0.001 <= got.deadline - sent.deadline <= on_the_way + 0.001
    assert replace(got, deadline=sent.deadline) == sent


def test_a_call_without_a_context_sees_nothing():
    assert wire.decode_context(None).scope == Scope()


@pytest.mark.parametrize("raw", [b"", b"[]", b"1", b'{"args":[]}', b'{"args":{},"kwargs":{}}', b"\xff"])
def test_a_malformed_request_is_told_as_such(raw):
    with pytest.raises(wire.MalformedRequest):
        wire.decode_request(raw)
