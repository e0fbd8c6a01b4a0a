"""The crash matrix: real workers, a real Temporal server and a real ledger, all of which are killed, frozen, cut off
and locked while mail goes out to a server that fails at every stage; then what was said is compared with what was
delivered.

    faults.py       which message meets which fault
    smtp_record.py  the mail server's record, the only one that counts; smtp_session.py fails as told
    scene.py        the processes: Temporal on a file database, two workers; forks.py starts these
    wire.py         the network between each worker and Temporal
    sites.py        the ledger, on SQLite or on PostgreSQL (postgres.py, as_nobody.py)
    blows.py        what befalls all of these; nemesis.py: when
    load.py         the requests, and the people who approve, cancel and reset them
    settling.py     the operator, who settles what is unknown
    insist.py       Temporal calls that survive its server's death
    judge.py        the record against outcomes, ledger and operator
    naive.py        the negative control: the same faults, no care taken
    broken.py       workers that break the promise, to see whether that is noticed
    trial.py        one seed from beginning to end
    report.py       the tables
    scenarios/      what people do to a request, a ledger and a clock: no trial of chance, but one thing after the other

A seed decides the faults, the requests and the schedule of blows. It cannot decide the timing of real processes, so two
runs of one seed differ.
"""
