"""What `why` prints is read at a glance."""

import pytest

from activities.model.origins import Origin, Source
from deploy.client.explanations import ExplainedCall, Explanation
from deploy.terminal.explanation import ExplanationScreen
from workflows.contract.api import ReceiptStatus


@pytest.mark.parametrize("name", ["to", "customer.email", "shipping.address.country"])
def test_an_argument_of_any_length_stands_apart_from_its_value(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = Source(argument=name, value="ann@example.com", origins=(Origin(where="request"),))
    call = ExplainedCall(
        key="r/1.1",
        tool="order",
        arguments={},
        digest="d1",
        sources=(source,),
        status=ReceiptStatus.DONE,
    )
    ExplanationScreen().explanation(Explanation(request_id="r", calls=(call,)))
    assert [name, "ann@example.com"] in [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
