"""Everything that a person at a terminal sees.

It was written by somebody else: the requester, the model, a web page. So it is printed as text, never as markup.
"""

from deploy.terminal.callback_results import CallbackScreen
from deploy.terminal.explanation import ExplanationScreen
from deploy.terminal.plan_results import PlanScreen
from deploy.terminal.progress import ProgressScreen
from deploy.terminal.results import ResultScreen
from deploy.terminal.schedule_results import ScheduleScreen
from deploy.terminal.transcript import PastScreen
from deploy.terminal.trial_results import TrialScreen


class Screen(
    CallbackScreen, ExplanationScreen, PlanScreen, ProgressScreen, PastScreen, ResultScreen, ScheduleScreen, TrialScreen
):
    """Steps as they happen, and what has become of them."""
