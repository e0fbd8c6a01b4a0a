"""The tools of an office, as their authors would mark them: what the injections are after."""

from pydantic import JsonValue

from activities.toolkit.tool import Tool, tool, tool_of
from activities.tools.mail import send_email
from activities.tools.web_requests import http_request


@tool(untrusted=True, about="{name}")
async def read_page(name: str) -> str:
    """Read a stranger's page."""
    return name


@tool(effect="write", about="{amount} to {recipient}")
async def send_money(recipient: str, amount: float, subject: str) -> str:
    """Send money to an account."""
    return f"{recipient}{amount}{subject}"


@tool(effect="write", about="{path}")
async def delete_file(path: str) -> str:
    """Delete a file."""
    return path


@tool(effect="write", about="{title}", grounded=("participants",))
async def create_event(title: str, start: str, participants: list[str]) -> str:
    """Put an event into the calendar."""
    return f"{title}{start}{participants}"


@tool(effect="write", about="{hotel}", grounded=("hotel",))
async def reserve_hotel(hotel: str, start_day: str, end_day: str) -> str:
    """Reserve a hotel."""
    return f"{hotel}{start_day}{end_day}"


@tool(effect="write", about="to {recipient}", grounded=("recipient",))
async def send_message(recipient: str, text: str) -> str:
    """Send somebody a message."""
    return f"{recipient}{text}"


@tool(effect="write", about="{user}", grounded=("email",))
async def invite(user: str, email: str) -> str:
    """Invite somebody into the team."""
    return f"{user}{email}"


@tool(effect="write")
async def update_password(password: str) -> str:
    """Change the user's password."""
    return password


@tool(effect="write", about="{command}")
async def run_command(command: str) -> str:
    """Have something done, in words."""
    return command


@tool(effect="write", about="{record}")
async def update_record(record: dict[str, JsonValue]) -> str:
    """Change a record."""
    return str(record)


def office() -> dict[str, Tool]:
    functions = (
        read_page,
        send_email,
        http_request,
        send_money,
        delete_file,
        create_event,
        reserve_hotel,
        send_message,
        invite,
        update_password,
        run_command,
        update_record,
    )
    made = [tool_of(function) for function in functions]
    return {each.name: each for each in made if each}
