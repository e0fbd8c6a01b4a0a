"""What people call regions and countries beside the names and ISO codes that the geocoder gives."""

from collections.abc import Mapping


def _codes(text: str) -> dict[str, str]:
    """Name → code."""
    pairs = (each.strip().split(" ", 1) for each in text.split(","))
    return {name: code for code, name in pairs}


COUNTRIES: Mapping[str, tuple[str, ...]] = {
    "AE": ("UAE",),
    "CZ": ("Czech Republic", "Czechia"),
    "GB": ("UK", "Great Britain", "Britain"),
    "KR": ("South Korea", "Korea"),
    "NL": ("Netherlands", "The Netherlands", "Holland"),
    "TR": ("Turkey", "Türkiye"),
    "US": ("USA", "United States of America", "America"),
}
"""By ISO code."""

REGIONS: Mapping[str, Mapping[str, str]] = {
    "AU": _codes(
        "ACT Australian Capital Territory, NSW New South Wales, NT Northern Territory, QLD Queensland,"
        "SA South Australia, TAS Tasmania, VIC Victoria, WA Western Australia"
    ),
    "CA": _codes(
        "AB Alberta, BC British Columbia, MB Manitoba, NB New Brunswick, NL Newfoundland and Labrador, NS Nova Scotia,"
        "NT Northwest Territories, NU Nunavut, ON Ontario, PE Prince Edward Island, QC Quebec, SK Saskatchewan,"
        "YT Yukon"
    ),
    "US": _codes(
        "AK Alaska, AL Alabama, AR Arkansas, AZ Arizona, CA California, CO Colorado, CT Connecticut, DE Delaware,"
        "DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, IA Iowa, ID Idaho, IL Illinois, IN Indiana,"
        "KS Kansas, KY Kentucky, LA Louisiana, MA Massachusetts, MD Maryland, ME Maine, MI Michigan, MN Minnesota,"
        "MO Missouri, MS Mississippi, MT Montana, NC North Carolina, ND North Dakota, NE Nebraska, NH New Hampshire,"
        "NJ New Jersey, NM New Mexico, NV Nevada, NY New York, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania,"
        "RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VA Virginia, VT Vermont,"
        "WA Washington, WI Wisconsin, WV West Virginia, WY Wyoming"
    )
    | {"Washington, D.C.": "DC"},
}
"""By ISO code of the country: the region's name as the geocoder gives it → its postal abbreviation."""
