"""Words in names of fields that say what kind of number the field takes."""


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


OF_A_DAY = _words("date day dom mday")
OF_A_MONTH = _words("date month")
OF_AN_HOUR = _words("hour hours start end from until when at time")
OF_A_MINUTE = _words("minute minutes")
OF_A_SPAN = _words(
    "time timespan timeframe timeout duration span period interval window length age ttl delay ahead ago past back"
    " lookback expiry expires validity horizon wait stay term"
)
OF_PEOPLE = _words("people persons party guests adults passengers travelers travellers attendees seats tickets")
OF_MONEY = _words(
    "total subtotal sum amount cost costs price fee payment pay due balance budget discount tax vat net gross"
    " difference remaining rest average mean salary"
)
RECKONED = OF_MONEY | _words("quantity count")
"""They take what two numbers of the request come to. Others take a number that was said or found."""
IN_HUNDREDTHS = OF_MONEY | _words(
    "cent cents minor pence percent percentage pct rate ratio fraction share probability interest yield return"
    " confidence significance alpha level limit value"
)
"""They may take 1999 for $19.99, or 0.19 for 19."""
