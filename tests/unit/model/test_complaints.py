"""What endpoints say when they refuse a question is understood. The texts are those of real endpoints."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.model.complaints import Complaint, complaint
from activities.redaction import REDACTED, SECRETS
from tests.unit.core.arbitrary import nearly_json_values, quick


def said(message: Any, **fields: Any) -> Complaint:
    return complaint(400, json.dumps({"error": {"message": message, **fields}}))


class TestLength:
    @pytest.mark.parametrize(
        "words",
        [
            pytest.param(
                "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
                id="OpenAI, vLLM, OpenRouter",
            ),
            pytest.param(
                "Request too large for gpt-x on tokens per min (TPM): Limit 30000, Requested 31000. "
                "The input or output tokens must be reduced in order to run successfully.",
                id="OpenAI, of the rate",
            ),
            pytest.param(
                "The decoder prompt (length 9000) is longer than the maximum model length of 4096.", id="vLLM"
            ),
            pytest.param(
                "The input (9000 tokens) is longer than the model's context length (4096 tokens).", id="SGLang"
            ),
            pytest.param(
                "request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it",
                id="llama.cpp",
            ),
            pytest.param("the request exceeds the available context size. try increasing it", id="older llama.cpp"),
            pytest.param("Context size has been exceeded.", id="llama.cpp, while it writes"),
            pytest.param("the input length exceeds the context length", id="Ollama"),
            pytest.param(
                "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
                id="Mistral",
            ),
            pytest.param("Please reduce the length of the messages or completion.", id="Groq"),
            pytest.param("prompt is too long: 210000 tokens > 200000 maximum", id="Anthropic"),
            pytest.param(
                "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", id="Anthropic, with room"
            ),
            pytest.param(
                "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", id="Gemini"
            ),
            pytest.param(
                "This model's maximum prompt length is 131072 but the request contains 537812 tokens.", id="xAI"
            ),
            pytest.param(
                "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000", id="TGI"
            ),
            pytest.param("Input is too long for requested model.", id="Bedrock"),
        ],
    )
    def test_too_long_is_understood_in_every_dialect(self, words: str) -> None:
        assert said(words).is_about_length

    @pytest.mark.parametrize("field", ["code", "type"])
    @pytest.mark.parametrize("code", ["context_length_exceeded", "exceed_context_size_error"])
    def test_so_is_its_code(self, field: str, code: str) -> None:
        assert said("no", **{field: code}).is_about_length

    def test_so_is_its_status(self) -> None:
        assert complaint(413, "<html>").is_about_length

    @pytest.mark.parametrize(
        "words",
        [
            "The model `x` does not exist",
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
            "Rate limit reached for gpt-x on tokens per min. Please try again in 6ms.",
            "messages: text content blocks must be non-empty",
            "Invalid 'messages[2].tool_calls': array too short.",
        ],
    )
    def test_other_complaints_are_not_about_length(self, words: str) -> None:
        assert not said(words).is_about_length


SENT = ["strict", "response_format", "parallel_tool_calls", "max_completion_tokens", "tools"]


class TestParameters:
    @pytest.mark.parametrize(
        ("words", "param", "named"),
        [
            (
                "Unsupported parameter: 'parallel_tool_calls' is not supported with this model.",
                None,
                "parallel_tool_calls",
            ),
            ("Unsupported parameter", "parallel_tool_calls", "parallel_tool_calls"),
            ("[{'type': 'extra_forbidden', 'loc': ('body', 'parallel_tool_calls')}]", None, "parallel_tool_calls"),
            ("Unrecognized request argument supplied: max_completion_tokens", None, "max_completion_tokens"),
            ("registry.ollama.ai/library/gemma:2b does not support tools", None, "tools"),
            ('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', None, "tools"),
            ("`tool calling` is not supported with this model", None, "tools"),
            ("No endpoints found that support tool use.", None, "tools"),
            ("Functions are not supported at this time.", None, "tools"),
            (
                "Invalid schema for function 'f': 'additionalProperties' is required",
                "tools[0].function.parameters",
                "strict",
            ),
            ("Unknown field: strict", None, "strict"),
            ("This response_format type is unavailable now", None, "response_format"),
            ("This model does not support response format `json_schema`.", None, "response_format"),
            ("The provided JSON schema contains features not supported by xgrammar.", None, "response_format"),
            ("max_completion_tokens is too large: 100000. This model supports at most 16384.", None, None),
            ("Invalid value", "messages[3].tool_calls[0].id", None),
            ("messages with role 'tool' must follow a message with 'tool_calls', which is required", None, None),
            ("The model `tools-7b` does not exist", None, None),
            ("Incorrect API key provided", None, None),
            ("restrictions apply", None, None),
        ],
    )
    def test_the_parameter_that_is_not_taken_is_named(self, words: str, param: str | None, named: str | None) -> None:
        assert said(words, param=param).names(SENT) == named

    def test_what_was_not_sent_is_not_meant(self) -> None:
        assert (
            said("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.").names(["max_tokens"])
            == "max_tokens"
        )
        assert said("this does not support tools").names(["max_tokens"]) is None


class TestReading:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ('{"error": {"message": "busy"}}', "busy"),
            ('{"error": "busy"}', "busy"),
            ('[{"error": {"message": "busy"}}]', "busy"),
            ('{"object": "error", "message": "busy"}', "busy"),
            ('{"detail": "busy"}', "busy"),
            ('{"detail": [{"loc": ["body"], "message": "busy"}]}', "busy"),
            ('{"error": {"message": "", "metadata": {"message": "busy"}}}', "busy"),
            ("busy\n  as   a bee", "busy as a bee"),
            ('{"error": {"message": "busy \\ud83d", "code": NaN}}', "busy \ufffd"),
            ('data: {"error": {"message": "busy"}}\n\n', "busy"),
            ("", ""),
        ],
    )
    def test_the_words_are_found_wherever_they_stand(self, body: str, words: str) -> None:
        assert complaint(500, body).words == words

    def test_a_filter_is_known_by_its_code_wherever_it_stands(self) -> None:
        azure = {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
        assert said("The response was filtered", **azure).is_about_content

    def test_no_secret_is_quoted_however_it_is_written(self) -> None:
        SECRETS.add("sk-hush/1")
        found = complaint(401, r'{"error": {"message": "no key \u0073k-hush/1, sk-hush\/1"}}')
        assert found.words == f"no key {REDACTED}, {REDACTED}"
        assert "hush" not in complaint(401, "<b>sk-hush/1</b>").words

    @quick
    @given(nearly_json_values)
    def test_any_body_at_all_is_read(self, value: Any) -> None:
        found = complaint(400, json.dumps(value))
        assert len(found.words.encode()) <= 2000
        found.names(SENT)

    @quick
    @given(st.text())
    def test_so_is_any_text(self, body: str) -> None:
        complaint(400, body)
