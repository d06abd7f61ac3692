-- Parts counted and parts rejected, each at the instant it was counted.
--
-- A counter's numbers, one for each instant (the last by (seq, value)), without repetitions, are a row of different ones.
-- A word, be it UNAVAILABLE, says nothing, at an instant that has a number neither: so a day's last number is what
-- `signal_days` has of it. One that leaps up and comes back (previous ≤ next < this) is a spike: it is left out and
-- listed, until somebody accepts it. Then every number adds its difference to the one before; a smaller one is a reset
-- and adds itself; the first ever adds nothing. A step of one is no leap: 2 → 3 → 2 is a part, a reset and two parts.
-- From just below 2³² to just above 0 a counter of 32 bits went round and adds what lies between. It is told here, from
-- the numbers as the device gave them: no collector has to remember how often one went round, so neither a restart nor
-- a late or repeated row can make it wrong.
-- A pulse is a level: each rise from 0 is a part, and one that was high when it was first seen is none. An event adds
-- its number, once for each instant.
-- What is a spike depends on the neighbours, never on the window: so the two different numbers before the window and
-- the one after it are looked up, by the days that hold them. An event has no need of neighbours.
counter_values AS
(
    WITH
        toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')) AS first_day,
        toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')) AS last_day,
        days AS
        (
            SELECT
                machine_id,
                signal,
                d.day AS day,
                min(d.lowest) AS low,
                max(d.highest) != low AS moved,
                accurateCastOrNull(round(toFloat64OrNull(max(d.last_known).value)), 'Int64') AS last_number
            FROM mtc.signal_days AS d
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND match(signal, '^part_(count|pulse)')
            GROUP BY machine_id, signal, day
            HAVING isNotNull(low)
        ),
        -- Going out from the window day by day, a day is needed while the days between do not show two different numbers.
        -- Their last numbers do, where those differ. A day's lowest and highest may be of an instant that had several, and
        -- counts for the last of them alone: only of a week of such days at least one is what it seems. (A pulse is a
        -- level: it needs one.)
        neighbours AS
        (
            SELECT
                machine_id,
                signal,
                day,
                count() OVER outwards AS days_between,
                min(last_number) OVER outwards AS lowest_last,
                max(last_number) OVER outwards AS highest_last,
                countIf(moved) OVER outwards AS moved_between
            FROM days
            WHERE day < first_day OR day > last_day
            WINDOW outwards AS (
                PARTITION BY machine_id, signal, day < first_day ORDER BY abs(toInt32(day) - toInt32(first_day))
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
    SELECT
        m,
        toString(signal) AS signal,
        substring(signal, 6, 5) AS kind,
        toUnixTimestamp64Micro(ts) AS t,
        if(kind = 'pulse', toInt64(number != 0), assumeNotNull(number)) AS n
    FROM
    (
        SELECT
            m,
            signal,
            ts,
            accurateCastOrNull(round(toFloat64OrNull(value)), 'Int64') AS number,
            leadInFrame(toNullable(ts), 1) OVER (
                PARTITION BY m, signal ORDER BY ts, seq, value ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_ts
        FROM
        (
            SELECT mtc_place(machine_id, {machines:Array(String)}) AS m, signal, ts, seq, value
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND match(signal, '^part_(count|pulse|event)')
                AND ts >= toDateTime64(first_day, 6, 'UTC') AND ts < toDateTime64(last_day + 1, 6, 'UTC')
            UNION ALL
            SELECT mtc_place(machine_id, {machines:Array(String)}) AS m, signal, ts, seq, value
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND match(signal, '^part_(count|pulse|event)')
                AND (machine_id, signal, toDate32(ts)) IN (
                    SELECT machine_id, signal, day
                    FROM neighbours
                    WHERE days_between = 0
                        OR (ifNull(lowest_last = highest_last, true) AND moved_between < if(signal LIKE 'part_pulse%', 1, 7)))
        )
        WHERE isNotNull(number)
    )
    WHERE isNull(next_ts) OR next_ts != ts
),

-- What was decided about leaps: the newest word on each holds.
spike_decisions AS
(
    SELECT
        mtc_place(machine_id, {machines:Array(String)}) AS m,
        toString(signal) AS signal,
        ts_us AS t,
        argMax(toString(decision), event_id) AS decision
    FROM mtc.spike_decisions
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    GROUP BY machine_id, signal, ts_us
),

-- Every change of a counter with what it adds. `leap`: up and back; `spike`: a leap that nobody accepted.
counter_steps AS
(
    SELECT
        m,
        signal,
        kind,
        t,
        n,
        before,
        after,
        leap,
        spike,
        toInt64(4294967296) AS full_round,
        toInt64(16777216) AS nearness,
        n < nearness AND ifNull(previous >= full_round - nearness AND previous < full_round, false) AS went_round,
        ifNull(kind = 'count' AND NOT spike AND NOT went_round AND n < previous, false) AS reset,
        assumeNotNull(multiIf(
            kind = 'event', n,
            spike OR isNull(previous), 0,
            kind = 'pulse', greatest(n - previous, 0),
            went_round, n + full_round - previous,
            reset, n,
            n - previous)) AS step
    FROM
    (
        SELECT
            *,
            -- Two neighbours are never both spikes: skipping one is enough.
            if(lagInFrame(spike, 1, false) OVER s, lagInFrame(n_or_null, 2) OVER s, lagInFrame(n_or_null, 1) OVER s)
                AS previous
        FROM
        (
            SELECT
                *,
                toNullable(n) AS n_or_null,
                kind = 'count' AND ifNull(before <= after AND after < n AND n > before + 1, false) AS leap,
                multiIf(
                    NOT leap, false,
                    (m, signal, t) NOT IN (SELECT m, signal, t FROM spike_decisions WHERE decision = 'accepted')) AS spike
            FROM
            (
                SELECT
                    m,
                    signal,
                    kind,
                    t,
                    n,
                    lagInFrame(toNullable(n), 1) OVER w AS before,
                    leadInFrame(toNullable(n), 1) OVER w AS after
                FROM
                (
                    SELECT
                        m,
                        signal,
                        kind,
                        t,
                        v.n AS n,
                        lagInFrame(toNullable(v.n), 1) OVER (
                            PARTITION BY m, signal ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS last_n
                    FROM counter_values AS v
                )
                WHERE isNull(last_n) OR n != last_n OR kind = 'event'
                WINDOW w AS (PARTITION BY m, signal ORDER BY t ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
            )
        )
        WINDOW s AS (PARTITION BY m, signal ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
    )
    WHERE t >= {from_us:Int64} AND t < {end_us:Int64}
),

-- Since when a machine tells what: that decides what its total and its rejects are made of. What was written before
-- `first_number_us` was kept has only its day.
counters_of AS
(
    SELECT m, CAST((groupArray(signal), groupArray(first_us)), 'Map(String, Int64)') AS firsts
    FROM
    (
        SELECT
            mtc_place(machine_id, {machines:Array(String)}) AS m,
            toString(signal) AS signal,
            min(ifNull(first_number_us, toInt64(86400000000) * toInt32(day))) AS first_us
        FROM mtc.signal_days
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
            AND match(signal, '^part_(count|pulse|event)') AND isNotNull(highest)
        GROUP BY machine_id, signal
    )
    GROUP BY m
),

-- total = Δall, else Δgood + Δbad. reject = Δbad, else total − Δgood where there is a good counter, and what operators
-- rejected, at the time the parts were made. Where a machine tells one kind of parts several ways, a counter goes before
-- pulses, and pulses before events: nothing is counted twice. A first event adds its number, so it is there at once; a
-- counter or a pulse that is seen for the first time adds nothing yet, and is there from then on.
count_steps AS
(
    SELECT
        m,
        t,
        multiIf(class = '', step, has_all, 0, step) AS total,
        multiIf(
            class = '_bad', step,
            NOT has_all OR has_bad OR NOT has_good, 0,
            class = '', step,
            -step) AS reject,
        multiIf(spike, (m, signal, t) NOT IN (SELECT m, signal, t FROM spike_decisions WHERE decision = 'refused'), false)
            AS open_spike,
        reset
    FROM
    (
        SELECT
            steps.m AS m,
            steps.t AS t,
            signal,
            substring(signal, 11) AS class,
            spike,
            reset,
            step,
            arrayMap(
                of_class -> arrayExists(
                    one -> firsts[concat('part_', one, of_class)] BETWEEN 1 AND t - (one != 'event'), ['count', 'pulse', 'event']),
                ['', '_good', '_bad']) AS has,
            has[1] AS has_all,
            has[2] AS has_good,
            has[3] AS has_bad,
            arrayExists(
                one -> firsts[concat('part_', one, class)] BETWEEN 1 AND t - (one != 'event'),
                multiIf(kind = 'count', [], kind = 'pulse', ['count'], ['count', 'pulse'])) AS told_better
        FROM counter_steps AS steps
        INNER JOIN counters_of AS counters ON counters.m = steps.m
    )
    WHERE NOT told_better

    UNION ALL
    SELECT mtc_place(machine_id, {machines:Array(String)}), ts_us, 0, any(count), false, false
    FROM mtc.rejects
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND ts_us >= {from_us:Int64} AND ts_us < {end_us:Int64}
    GROUP BY machine_id, event_id, ts_us
)
