"""Reports of cases as JUnit XML, which every CI system reads.

The form: https://github.com/testmoapp/junitxml
"""

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from deploy.client.pass_rates import Report, Tried

UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot have."""


def junit_xml(reports: Sequence[Report], at_least: float) -> str:
    """One test suite for each model, one test for each case; it fails where its pass rate is below `at_least`."""
    root = ET.Element("testsuites")
    for report in reports:
        failed = sum(each.rate.share < at_least for each in report.tried)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_fit(report.label),
            tests=str(len(report.tried)),
            failures=str(failed),
            time=f"{report.seconds:.3f}",
        )
        for each in report.tried:
            _add(suite, each, at_least)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: ET.Element, tried: Tried, at_least: float) -> None:
    seconds = sum(trial.seconds for trial in tried.trials)
    test = ET.SubElement(suite, "testcase", name=_fit(tried.case.title), classname="try", time=f"{seconds:.3f}")
    if tried.rate.share < at_least:
        told = "\n".join(f"{what} ({count} of {len(tried.trials)})" for what, count in tried.differences.items())
        ET.SubElement(test, "failure", message=_fit(f"passed {tried.rate}")).text = _fit(told)


def _fit(text: str) -> str:
    return UNFIT.sub("\ufffd", text)
