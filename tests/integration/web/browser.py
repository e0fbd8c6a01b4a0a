"""A real Chromium, driven by Playwright."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

# The shell without a window starts with half the work, where it is there (Debian's chromium-headless-shell).
CHROMIUM = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))), None)
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
PATIENCE = 60_000.0
"""Milliseconds."""


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    assert CHROMIUM
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def somebody(browser: Browser, url: str, key: str, **how: object) -> AsyncGenerator[Page]:
    """A person with a browser of their own, who has signed in by the keyboard. Whatever the page complains of fails."""
    context = await browser.new_context(**how)  # pyright: ignore[reportArgumentType]  # Playwright's own options
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(f"{url}/sign-in")
    await expect(page.get_by_label("Your key")).to_be_focused()
    await page.keyboard.type(key)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{url}/")
    try:
        yield page
    finally:
        # Of a busy machine's Chromium this sometimes has no end; the browser itself is closed after the tests.
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await context.close()
    assert complaints == []


async def photographed(page: Page, picture: Path) -> None:
    await page.screenshot(path=picture, full_page=True)
