"""Every problem stands in docs/door.md, and tells nothing that is not the caller's."""

from temporalio.service import RPCError, RPCStatusCode

from activities.errors import Unreachable
from activities.redaction import SECRETS
from activities.settings.environment import PROJECT
from deploy.web.problems import Kind, problem_of


def test_the_page_of_the_door_lists_every_problem_with_its_status() -> None:
    page = (PROJECT / "docs" / "door.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ")}
    missing = [kind for kind in Kind if f"`{kind.type.rpartition(':')[2]}`" not in rows.get(str(kind.status), "")]
    assert missing == []


def test_a_mistake_in_code_is_told_without_its_words() -> None:
    problem = problem_of(ValueError("the password is hush-hush"))
    assert (problem.kind, "hush" in problem.details().detail) == (Kind.MISTAKE, False)


def test_no_secret_leaves_in_a_problem() -> None:
    SECRETS.add("sesame-4711")
    details = problem_of(Unreachable("cannot reach postgresql://me:sesame-4711@db")).details()
    assert (details.status, "sesame" in details.detail) == (503, False)


def test_a_word_on_a_request_that_ends_at_that_moment_comes_too_late() -> None:
    closing = RPCError("workflow update was aborted by closing workflow", RPCStatusCode.NOT_FOUND, b"")
    assert problem_of(closing).kind is Kind.NOT_OPEN
