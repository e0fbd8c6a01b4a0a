"""How many streams of events one caller may have open."""

import pytest

from deploy.web.event_stream import StreamLimit
from deploy.web.problems import Problem


def test_one_too_many_is_refused_until_another_is_closed() -> None:
    limit = StreamLimit(2)
    with limit.one("ann"):
        with limit.one("ann"):
            with pytest.raises(Problem, match="ann has 2 streams of events open, which is the most"):
                limit.one("ann").__enter__()
            with limit.one("bob"):
                pass
        with limit.one("ann"):
            pass
    assert limit.known == 0
