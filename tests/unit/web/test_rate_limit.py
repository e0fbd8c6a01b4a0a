"""How often one caller may call."""

from deploy.web.rate_limit import RateLimit


def test_so_many_calls_at_once_and_then_as_many_a_minute() -> None:
    now = 100.0
    limit = RateLimit(3, clock=lambda: now)
    assert [limit.take("ann") for _ in range(4)] == [0, 0, 0, 20]
    now += 19
    assert limit.take("ann") == 1
    now += 1
    assert [limit.take("ann"), limit.take("ann")] == [0, 20]
    now += 3600
    assert [limit.take("ann") for _ in range(4)] == [0, 0, 0, 20]


def test_one_callers_calls_are_none_of_anothers() -> None:
    limit = RateLimit(1, clock=lambda: 0.0)
    assert [limit.take("ann"), limit.take("bob"), limit.take("ann")] == [0, 0, 60]


def test_callers_who_are_gone_are_forgotten() -> None:
    now = 0.0
    limit = RateLimit(60, clock=lambda: now)
    for number in range(1500):
        limit.take(f"caller {number}")
        now += 1
    assert limit.known <= 1002
