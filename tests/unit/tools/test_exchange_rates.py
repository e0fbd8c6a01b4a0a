"""get_exchange_rate, against a service that speaks as Frankfurter does."""

import httpx
import pytest

from activities.errors import NotFound, ServiceRefused
from activities.http.tls import trusted_roots
from activities.settings.data_services import DataServices
from activities.tools.exchange_rates import Exchange, get_exchange_rate
from tests.unit.http.fake_web import FakeWeb, fake_web


async def exchange(web: FakeWeb, source: str, target: str, amount: float = 1) -> Exchange:
    async with httpx.AsyncClient(verify=trusted_roots(), timeout=5) as http:
        settings = DataServices(exchange_rates_url=web.url)
        return await get_exchange_rate(source, target, amount, http=http, settings=settings)


async def test_an_amount_is_told_at_the_rate_of_a_day() -> None:
    async with fake_web() as web:
        web.answer("/v1/latest", {"amount": 1.0, "base": "EUR", "date": "2026-11-27", "rates": {"USD": 1.1593}})
        told = await exchange(web, "EUR", "USD", 250)
    assert (told.rate, told.result, str(told.as_of)) == (1.1593, 289.825, "2026-11-27")
    assert web.asked[0].query == {"base": "EUR", "symbols": "USD"}


async def test_a_currency_is_worth_itself() -> None:
    async with fake_web() as web:
        web.answer("/v1/latest", {"date": "2026-11-27", "rates": {}})
        assert (await exchange(web, "EUR", "EUR", 3)).result == 3


@pytest.mark.parametrize("status", ["404 Not Found", "422 Unprocessable Entity"])
async def test_a_currency_without_a_rate_is_not_found(status: str) -> None:
    async with fake_web() as web:
        web.answer("/v1/latest", {"message": "not found"}, status=status)
        with pytest.raises(NotFound, match="no exchange rate from XXX to USD"):
            await exchange(web, "XXX", "USD")
        web.answer("/v1/latest", {"date": "2026-11-27", "rates": {}})
        with pytest.raises(NotFound, match="no exchange rate from USD to XXX"):
            await exchange(web, "USD", "XXX")


async def test_another_refusal_is_told_as_one() -> None:
    async with fake_web() as web:
        web.answer("/v1/latest", {}, status="403 Forbidden")
        with pytest.raises(ServiceRefused, match="ERRAND_EXCHANGE_RATES_URL"):
            await exchange(web, "EUR", "USD")
