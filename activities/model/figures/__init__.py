"""Figures (numbers, dates, amounts, identifiers) that a text gives, held to what was said and found."""
