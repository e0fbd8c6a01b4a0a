"""What endpoints say when they refuse a question is understood. The texts are those of real endpoints, as far as their
documentation and their users' reports quote them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.model.endpoint_errors import Complaint, complaint
from activities.redaction import REDACTED, SECRETS
from tests.unit.execution.arbitrary import nearly_json_values, quick


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
            pytest.param("Your input exceeds the context window of this model. Please adjust it.", id="OpenAI, newer"),
            pytest.param("Prompt length 5000 is greater than max_seq_len 4096", id="TabbyAPI"),
            pytest.param("Your request exceeded model token limit: 8192", id="Moonshot"),
            pytest.param("Range of input length should be [1, 30720]", id="Qwen"),
            pytest.param("Total message token length exceed model limit (10000 tokens)", id="Qwen, older"),
            pytest.param("Prompt 超长", id="Zhipu"),
            pytest.param("输入内容过长，请缩短后重试", id="in Chinese"),
            pytest.param("prompt tokens too long", id="Baidu"),
            pytest.param("the length of messages must be smaller than 20000", id="Baidu, by its length"),
            pytest.param("invalid params, context window exceeds limit (2013)", id="MiniMax"),
            pytest.param("Input length 5000 exceeds the maximum length 4096", id="Volcengine"),
            pytest.param("Total tokens of image and text exceed max message tokens.", id="Volcengine, of messages"),
            pytest.param("length of prompt_tokens (5000) must be less than max_seq_len (4096).", id="SiliconFlow"),
            pytest.param(
                "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.", id="Cohere"
            ),
            pytest.param(
                "too many tokens: size limit exceeded by 99 tokens. Try using shorter or fewer inputs.",
                id="Cohere, by how much",
            ),
            pytest.param(
                "Unable to submit request because the input token count is 5000 but the model only supports up to "
                "4096. Reduce the input token count and try again.",
                id="Vertex",
            ),
            pytest.param("The prompt is too long: 5000, model maximum context length: 4096", id="Fireworks"),
            pytest.param("`inputs` must have less than 1024 tokens. Given: 1100", id="TGI, of the input"),
            pytest.param(
                "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is "
                "only 4096 tokens.",
                id="vLLM, newer",
            ),
            pytest.param(
                "Input length (5000 tokens) exceeds the maximum allowed length (4096 tokens). Use a shorter input or "
                "enable --allow-auto-truncate.",
                id="SGLang, newer",
            ),
            pytest.param("Prompt length (5000) exceeds maximum input length (4096).", id="TensorRT-LLM"),
            pytest.param(
                "The sum of prompt length (5000.0) and query length (0) should not exceed max_num_tokens (4096)",
                id="TensorRT-LLM, of the sum",
            ),
            pytest.param("Requested tokens (5000) exceed context window of 4096", id="llama-cpp-python"),
            pytest.param("input is too large to process. increase the physical batch size", id="llama.cpp, of a batch"),
            pytest.param(
                "The number of tokens to keep from the initial prompt is greater than the context length. Try to load "
                "the model with a larger context length, or provide a shorter input",
                id="LM Studio",
            ),
            pytest.param(
                "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
                "context length of only 4096 tokens, which is not enough.",
                id="LM Studio, newer",
            ),
            pytest.param("prompt too long; exceeded max context length by 300 tokens", id="Ollama, newer"),
            pytest.param(
                "Request prompt has 5000 tokens in total, larger than the model input length limit 4096.", id="MLC"
            ),
            pytest.param("Request body too large for gpt-4o model. Max size: 8000 tokens.", id="GitHub Models"),
            pytest.param("prompt token count of 5000 exceeds the limit of 4096", id="Copilot"),
            pytest.param(
                "Too many input tokens. Max input tokens: 8192, request input token count: 9000", id="Bedrock, Titan"
            ),
            pytest.param("Input Tokens Exceeded: Number of input tokens exceeds maximum length.", id="Bedrock, Llama"),
            pytest.param(
                "the number of input tokens 5000 cannot exceed the total tokens limit 4096 for this model", id="watsonx"
            ),
            pytest.param("number of input tokens must be no more than 8000, got 9000", id="Yandex"),
            pytest.param("max tokens of model exceeded: 5000 tokens requested, limit 4096", id="Snowflake"),
            pytest.param(
                "AiError: The estimated number of input and maximum output tokens (5000) exceeded this model context "
                "window limit (4096).",
                id="Cloudflare",
            ),
            pytest.param("E1002 PromptTooLong: Prompt length exceeds maximum input length", id="Replicate"),
            pytest.param(
                "Token indices sequence length is longer than the specified maximum sequence length (5000 > 4096)",
                id="Transformers",
            ),
            pytest.param(
                "Please reduce the length of the messages or completion. Current length is 5000 while limit is 4096",
                id="Cerebras",
            ),
            pytest.param(
                "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 7000, please reduce "
                "your message size and try again.",
                id="Groq, of the rate",
            ),
            pytest.param("Requested input length 5000 exceeds maximum input length 4096", id="NIM"),
            pytest.param("Conversation too long. Please start a new one.", id="nobody known: too long"),
            pytest.param("Your message is over the limit of 4096 tokens", id="nobody known: over the limit"),
            pytest.param("A sequence of 5000 tokens does not fit in the model's window", id="nobody known: no fit"),
            pytest.param("inputs tokens (5000) > 4096", id="nobody known: a sum"),
            pytest.param("The total length of messages is limited to 20000", id="nobody known: limited to"),
            pytest.param("There is not enough room left in the context", id="nobody known: not enough"),
            pytest.param("Please limit your prompt to 4096 tokens", id="nobody known: what to do"),
        ],
    )
    def test_too_long_is_understood_in_every_dialect(self, words: str) -> None:
        assert said(words).is_about_length

    @pytest.mark.parametrize("field", ["code", "type"])
    @pytest.mark.parametrize(
        "code",
        [
            "context_length_exceeded",
            "exceed_context_size_error",
            "string_above_max_length",
            "tokens_limit_reached",
            "model_max_prompt_tokens_exceeded",
            "ContextWindowExceededError",
            "prompt_too_long",
            "request_too_large",
        ],
    )
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
            "Invalid 'tools': array too long. Expected an array with maximum length 128.",
            "Requests with more than 128 tools are not supported.",
            "body -> temperature: Input should be less than or equal to 2",
            "messages.0.content: Input should be a valid string",
            "messages: roles must alternate between user and assistant",
            "messages: more than one system message is not allowed",
            "messages must be in the order user, assistant, user",
            "Unknown field: max_tokens",
            "max_tokens must be at least 1, got 0",
            "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
            "You exceeded your current quota, please check your plan and billing details.",
            "Number of request tokens has exceeded your daily quota",
            "Too many requests",
            "API key not valid. Please pass a valid API key.",
            "Invalid value for 'content': expected a string, got null.",
            "The image is too large: at most 20 MB",
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work.",
            "Provider returned error",
            "'tool_calls' must be followed by tool messages responding to each 'tool_call_id'",
        ],
    )
    def test_other_complaints_are_not_about_length(self, words: str) -> None:
        assert not said(words).is_about_length

    @pytest.mark.parametrize(
        "words", ["Request limit exceeded", "Input tokens exceeded", "You exceeded your token limit, try again later"]
    )
    def test_who_is_asked_too_often_does_not_speak_of_length(self, words: str) -> None:
        assert not complaint(429, json.dumps({"error": {"message": words}})).is_about_length

    @pytest.mark.parametrize("code", ["rate_limit_exceeded", "tokens", "insufficient_quota", "invalid_request_error"])
    def test_other_codes_are_not(self, code: str) -> None:
        assert not said("no", code=code).is_about_length


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
