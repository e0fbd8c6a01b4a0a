"""The four activities by hand, with the HTTP calls and the mail that the service makes too."""

import csv
import json
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import aiosmtplib
import httpx
from temporalio import activity

Json = dict[str, Any]

CURRENT = "temperature_2m,apparent_temperature,relative_humidity_2m,weather_code,wind_speed_10m"
TOOLS = cast("list[Json]", json.loads(Path(__file__).with_name("tools.json").read_text(encoding="utf-8")))


class Activities:
    def __init__(self, http: httpx.AsyncClient, environment: Mapping[str, str]) -> None:
        self.http = http
        self.model = environment["FLOOR_MODEL_URL"]
        self.services = environment["FLOOR_SERVICES_URL"]
        self.smtp_port = int(environment["FLOOR_SMTP_PORT"])

    @activity.defn
    async def ask_model(self, messages: list[Json]) -> Json:
        body = {"model": "scripted", "messages": messages, "tools": TOOLS}
        reply = await self.http.post(f"{self.model}/chat/completions", json=body)
        return reply.raise_for_status().json()["choices"][0]["message"]

    @activity.defn
    async def get_weather(self, arguments: Json) -> Json:
        query = {"name": arguments["city"], "count": 1, "language": "en", "format": "json"}
        place = (await self.get("/v1/search", query)).json()["results"][0]
        where = {"latitude": place["latitude"], "longitude": place["longitude"]}
        forecast = await self.get("/v1/forecast", {**where, "current": CURRENT, "timezone": "auto"})
        return {"city": place["name"], **forecast.json()["current"]}

    @activity.defn
    async def get_stock_price(self, arguments: Json) -> Json:
        symbol = f"{arguments['symbol'].lower()}.us"
        reply = await self.get("/q/l/", {"s": symbol, "f": "sd2t2ohlcvn", "h": "", "e": "csv"})
        quote = next(csv.DictReader(reply.text.splitlines()))
        return {"symbol": arguments["symbol"], "price": float(quote["Close"]), "as_of": quote["Date"]}

    @activity.defn
    async def send_email(self, arguments: Json) -> Json:
        message = EmailMessage()
        message["From"], message["To"] = "floor@example.com", ", ".join(arguments["to"])
        message["Subject"] = arguments["subject"]
        message.set_content(arguments["body"])
        _, reply = await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port)
        return {"server_reply": reply}

    async def get(self, path: str, query: Mapping[str, str | int | float]) -> httpx.Response:
        reply = await self.http.get(f"{self.services}{path}", params=query)
        return reply.raise_for_status()
