"""JSON that one library refuses is read and written by the other."""

from __future__ import annotations

import json
import math

import pytest

from ak_instagram import fast_json

ODD = [
    pytest.param({"text": "\ud83d"}, id="half a surrogate pair"),
    pytest.param({"id": 10**30}, id="more than 64 bits"),
    pytest.param({1: "one"}, id="a number as a name"),
    pytest.param({"text": "Hé 😀"}, id="any script"),
]


@pytest.mark.parametrize("value", ODD)
def test_what_is_written_says_the_value(value):
    assert json.loads(fast_json.dump(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", ODD)
def test_what_is_written_is_compact_utf_8(value):
    written = fast_json.dump(value).decode()

    assert ": " not in written


def test_what_has_no_form_is_written_as_its_default():
    assert fast_json.dump({"it": {1}}, default=repr) == b'{"it":"{1}"}'
    assert json.loads(fast_json.dump({"it": {1}, "id": 10**30}, default=repr))["it"] == "{1}"


def test_what_has_no_form_is_refused_without_one():
    with pytest.raises(TypeError):
        fast_json.dump({1})


@pytest.mark.parametrize("form", [str, str.encode])
@pytest.mark.parametrize(
    "text", ['{"a": [1, "\\ud83d", null]}', '"\\u0000"', "1e400", '{"a": 1, "a": 2}']
)
def test_it_is_read_as_the_standard_library_reads_it(form, text):
    assert fast_json.load(form(text)) == json.loads(text)


def test_nan_is_read():
    assert math.isnan(fast_json.load(b"NaN"))


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", '{"a":1}'.encode("utf-16"), "{"])
def test_what_is_no_json_in_utf_8_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        fast_json.load(text)


def test_what_is_nested_too_deep_is_a_value_error():
    with pytest.raises(ValueError, match=r"."):
        fast_json.load(b"[" * 200_000)


@pytest.mark.parametrize(
    "text", [b'{"said": "secret', b'"secret\xff"', b'["secret"' + b"[" * 200_000]
)
def test_an_error_holds_nothing_of_what_was_read(text):
    with pytest.raises(ValueError, match=r"^(not JSON|nested too deeply)$") as refused:
        fast_json.load(text)

    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="object"),
        pytest.param('{"a": null}', {"a": None}, id="text"),
        pytest.param(b"[]", None, id="list"),
        pytest.param(b"null", None, id="null"),
        pytest.param(b"{", None, id="not-json"),
        pytest.param(b"[" * 200_000, None, id="nested-too-deeply"),
    ],
)
def test_an_object_is_told_from_all_else(text, loaded):
    assert fast_json.load_object(text) == loaded
