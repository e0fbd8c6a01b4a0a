"""The crash matrix: real workers, a real Temporal server and a real ledger, all of which are killed, frozen and locked
while mail goes out to a server that fails at every stage; then what was said is compared with what was delivered.

    faults.py       which SMTP session meets which fault
    smtp_record.py  the mail server: it fails as told, and keeps the only record that counts
    scene.py        the processes: Temporal on a file database, two workers
    nemesis.py      what befalls them
    load.py         the requests, and the people who approve, cancel and reset them
    insist.py       Temporal calls that survive its server's death
    judge.py        the record against outcomes and ledger
    naive.py        the negative control: the same faults, no care taken
    trial.py        one seed from beginning to end
    report.py       the table

A seed decides the faults, the requests and the schedule of blows. It cannot decide the timing of real processes, so two
runs of one seed differ.
"""
