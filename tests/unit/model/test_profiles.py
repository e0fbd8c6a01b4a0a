"""What an endpoint can do is known by its name or URL, and what it does not take after all is taken off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.model.profiles import (
    COMPATIBLE,
    PROFILES,
    Calling,
    Echo,
    LearnedLimits,
    Profile,
    is_taken_off,
    is_wanted,
    of_each_once,
    profile_for,
)
from tests.unit.execution.arbitrary import quick

REASON = "tiny answered 400: no"


class TestChoosing:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("https://api.openai.com/v1", "openai"),
            ("https://eu.api.openai.com/v1", "openai"),
            ("https://mine.openai.azure.com/openai/v1/", "openai"),
            ("https://api.groq.com/openai/v1", "groq"),
            ("https://api.mistral.ai/v1", "mistral"),
            ("https://api.deepseek.com", "deepseek"),
            ("https://generativelanguage.googleapis.com/v1beta/openai/", "gemini"),
            ("http://127.0.0.1:11434/v1", "ollama"),
            ("http://ollama.internal:11434/v1", "ollama"),
            ("http://127.0.0.1:8000/v1", "compatible"),
            ("https://api.openai.com.evil.test/v1", "compatible"),
            ("https://notapi.groq.com.test/v1", "compatible"),
        ],
    )
    def test_the_URL_says_who_answers(self, url: str, name: str) -> None:
        assert profile_for(url).name == name

    def test_every_profile_is_known_by_its_name(self) -> None:
        wanted = {"openai", "vllm", "sglang", "llama.cpp", "ollama", "mistral", "groq", "compatible"}
        assert wanted <= set(PROFILES)
        assert all(profile.name == name and profile.callings for name, profile in PROFILES.items())

    def test_a_calling_that_is_set_is_the_best_there_is(self) -> None:
        assert COMPATIBLE.with_calling(Calling.JSON_OBJECT).callings == (Calling.JSON_OBJECT, Calling.PROMPT)


class TestSteps:
    @pytest.mark.parametrize(
        ("parameter", "after"),
        [
            ("parallel_tool_calls", Profile("x", parallel=None, strict=True, echo=Echo.ALWAYS)),
            ("strict", Profile("x", parallel=True, strict=False, echo=Echo.ALWAYS)),
            ("max_tokens", Profile("x", parallel=True, strict=True, caps=("max_completion_tokens",), echo=Echo.ALWAYS)),
            ("reasoning_content", Profile("x", parallel=True, strict=True)),
            ("temperature", Profile("x", parallel=True, strict=True, echo=Echo.ALWAYS)),
        ],
    )
    def test_a_parameter_that_is_not_taken_is_not_sent(self, parameter: str, after: Profile) -> None:
        before = Profile("x", parallel=True, strict=True, echo=Echo.ALWAYS)
        step = before.step(parameter, REASON)
        assert step == f"{parameter}: not taken ({REASON})"
        assert before.after([step]) == after

    @pytest.mark.parametrize(
        ("parameter", "after"),
        [
            ("extras", Profile("x", extras=True)),
            ("reasoning_content", Profile("x", echo=Echo.TOOL_TURNS, echoes_nothing=True)),
            ("temperature", Profile("x")),
        ],
    )
    def test_what_is_wanted_is_given_back(self, parameter: str, after: Profile) -> None:
        step = Profile("x").step_back(parameter, REASON)
        assert step == f"{parameter}: wanted ({REASON})"
        assert Profile("x").after([step]) == after

    def test_the_ladder_ends_at_the_prompt(self) -> None:
        profile, seen = COMPATIBLE, list[str]()
        for _ in range(3):
            seen.append(profile.step(profile.calling, REASON))
            profile = COMPATIBLE.after(seen)
        assert seen == [
            f"calling: native → json_schema ({REASON})",
            f"calling: json_schema → json_object ({REASON})",
            f"calling: json_object → prompt ({REASON})",
        ]
        assert profile.callings == (Calling.PROMPT,)
        assert profile.after([profile.step("prompt", REASON)]).callings == (Calling.PROMPT,)

    def test_a_rung_below_may_be_taken_off_alone(self) -> None:
        step = COMPATIBLE.step("json_schema", REASON)
        assert COMPATIBLE.after([step]).callings == (Calling.NATIVE, Calling.JSON_OBJECT, Calling.PROMPT)

    @quick
    @given(
        st.lists(st.text(max_size=30) | st.sampled_from(["calling: x → y", "calling: native", "strict: taken", ": "]))
    )
    def test_a_text_that_is_no_step_changes_nothing(self, texts: list[str]) -> None:
        assert COMPATIBLE.after(texts) == COMPATIBLE

    def test_of_two_steps_to_the_same_end_the_first_counts(self) -> None:
        assert of_each_once(["strict: not taken (a)", "strict: not taken (b)", "?"]) == ("strict: not taken (a)",)
        assert of_each_once(["extras: wanted (a)", "extras: wanted (b)"]) == ("extras: wanted (a)",)

    def test_what_is_not_taken_is_told_from_what_is_wanted(self) -> None:
        assert is_taken_off("reasoning_content", ["reasoning_content: not taken (a)"])
        assert not is_taken_off("reasoning_content", ["reasoning_content: wanted (a)", "strict: not taken (a)"])
        assert is_wanted("reasoning_content", ["reasoning_content: wanted (a)"])
        assert not is_wanted("reasoning_content", ["reasoning_content: not taken (a)", "extras: wanted (a)"])


class TestExperience:
    def test_it_is_forgotten_after_a_time(self) -> None:
        now = 0.0
        experience = LearnedLimits(clock=lambda: now)
        experience.add("strict: not taken (a)", for_seconds=10)
        experience.add("strict: not taken (b)", for_seconds=100)
        now = 9.0
        assert experience.steps() == ("strict: not taken (a)",)
        now = 10.0
        assert experience.steps() == ()

    def test_failures_are_counted_one_by_one_and_not_without_end(self) -> None:
        experience = LearnedLimits()
        assert [
            experience.same_failure(("a", 1)),
            experience.same_failure(("a", 1)),
            experience.same_failure(("b", 1)),
        ] == [
            1,
            2,
            1,
        ]
        for number in range(200):
            experience.same_failure(("c", number))
        assert experience.same_failure(("a", 1)) == 1
