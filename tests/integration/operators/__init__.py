"""Whatever an operator does with Temporal's own tools, a request ends with an outcome, and its receipts are true.

scene.py             a request that has come to a certain moment, held there until the operator has acted
verbs.py             what an operator can do to a request that writes, and what its receipt may say then
test_writes.py       these, at every moment
test_payloads.py     results and failures that the command line cannot write
test_others.py       reads, the model's answers, and the question what became of a write
test_ends.py         runs that are terminated or deleted, and a later run of the same id
test_left_behind.py  the same, when the worker has died too
test_paused.py       a paused request at the command line
"""
