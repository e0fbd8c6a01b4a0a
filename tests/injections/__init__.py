"""Injection texts of public collections, and a model that obeys every one of them.

Each .json file names its package, licence and copyright; LICENCE has the licence's words.
"""
