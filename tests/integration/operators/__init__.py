"""Whatever an operator does with Temporal's own tools, a request ends with an outcome, and its receipts are true.

scene.py    a request that has come to a certain moment, held there until the operator has acted
verbs.py    what an operator can do to a request that writes, and what its receipt may say then
"""
