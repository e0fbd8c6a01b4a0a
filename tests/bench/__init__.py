"""What the service costs, beside the same job written by hand.

    job.py           the job, what the model says to it, and what a right ending is
    floor/           the job by hand: a workflow, four kinds of activity, a worker
    surroundings.py  the model, the weather and the stocks, on loopback; mailbox.py, the mail server
    scene.py         the processes: a Temporal server in memory, and one worker at a time
    accounting.py    what a process and its children have used
    contenders.py    the service and the floor: how each is started, given a job and judged
    rounds.py        both in turn: latency, throughput, CPU, memory, start, history
    sizes.py         the service against size: turns with long results, requests that wait for approval
    long_text.py     the tool with long results
    targets.py       what is to be reached
    report.py        the tables, and the same as JSON

A job is three model calls, one weather and one stock call at once, then one mail: six activities. Both contenders run
it in a process of their own, against the same Temporal server and the same services, by the same client process, whose
CPU (and that of the services in it) is counted for neither. They take turns, and who begins alternates; ratios are
medians of the rounds' ratios. `start → first end` is from the process's start to its first job's end: what is put off
beyond `ready` shows there.

The same for both: six activities, three HTTP requests for weather and stocks and three to the model, tool schemas sent
with each of those, one SMTP session, HTTP connections kept alive, eager activities, the SDK's default slots and
pollers.

Not the same: the floor has Temporal's default sandbox and JSON converter, asks the model by plain HTTP instead of the
`openai` package, and checks, records and promises nothing. The service validates arguments, asks its policy, compares
addresses and claims with what was said, keeps its ledger (SQLite on disk), writes receipts, search attributes and
summaries. Its workflows run outside the sandbox, as in production.
"""
