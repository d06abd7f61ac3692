-- Leaps of counters in the window, and what was decided about them.
SELECT
    {machines:Array(String)}[steps.m] AS machine_id,
    steps.signal AS signal,
    steps.t AS ts_us,
    n AS value,
    before,
    after,
    if(decision = '', 'open', decision) AS decision
FROM counter_steps AS steps
LEFT JOIN spike_decisions AS decided
    ON decided.m = steps.m AND decided.signal = steps.signal AND decided.t = steps.t
WHERE leap
ORDER BY machine_id, ts_us, signal
