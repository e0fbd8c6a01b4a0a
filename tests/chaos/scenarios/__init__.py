"""What people do to a request, a ledger and a clock. Each scenario is some requests for one mail, judged by what the
mail server has, and is played twice: by the service's workers, and by a control that breaks the promise just there.

    used_again.py       a request id that is used again: cron, after the end, deletion, termination
    rewound.py          Temporal's database put back to an older copy
    many_writes.py      more writes than anybody asks for at once, and a reset
    second_attempts.py  a worker dies in the act, and the next finds another ledger, none, or another version of itself
    operators.py        every verb of Temporal's command line
    plans.py            a plan is applied under kills, resets and terminations
    clocks.py           a worker's clock two hours off, and a person's word
    http_writes.py      1,000 orders over HTTP, at a far end (order_desk.py, order_tools.py) that fails at every stage

    run.py              all of them, and their controls; report.py: the table
    stage.py            what they share: Temporal, mail server (post.py), model (model.py), the source of all workers
    scene.py            what each has of its own: task queue, ledger (ledgers.py), workers, requests and their runs
    workers.py          the ways of workers: other than usual, or broken
    verdict.py          what was said, against what was delivered

Time limits are shortened: three attempts in place of twelve where all of them have to fail, and 20 seconds in place of
the hour for which a ledger is asked.
"""
