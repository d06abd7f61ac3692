-- Parts counted and parts rejected, each at the instant it was counted.
--
-- A counter's values, one for each instant (the last by (seq, value)), without UNAVAILABLE and repetitions, are a row
-- of different numbers. One that leaps up and comes back (previous ≤ next < this) is a spike: it is left out and
-- listed. Then every number adds its difference to the one before; a smaller one is a reset and adds itself; the
-- first ever adds nothing. A step of one is no leap: 2 → 3 → 2 is a part, a reset and two parts.
-- From just below 2³² to just above 0 a counter of 32 bits went round and adds what lies between. It is told here, from
-- the numbers as the device gave them: no collector has to remember how often one went round, so neither a restart nor
-- a late or repeated row can make it wrong.
-- What is a spike depends on the neighbours, never on the window: so the two different numbers before the window and
-- the one after it are looked up, by the days that hold them.
counter_values AS
(
    WITH
        ('part_count', 'part_count_good', 'part_count_bad') AS counters,
        toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')) AS first_day,
        toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')) AS last_day,
        days AS
        (
            SELECT machine_id, signal, d.day AS day, min(d.lowest) AS low, max(d.highest) AS high
            FROM mtc.signal_days AS d
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND signal IN counters
            GROUP BY machine_id, signal, day
            HAVING isNotNull(low)
        ),
        -- Going out from the window day by day, a day is needed while the days between do not show two different numbers.
        neighbours AS
        (
            SELECT
                machine_id,
                signal,
                day,
                min(low) OVER outwards AS low_between,
                max(high) OVER outwards AS high_between
            FROM days
            WHERE day < first_day OR day > last_day
            WINDOW outwards AS (
                PARTITION BY machine_id, signal, day < first_day ORDER BY abs(toInt32(day) - toInt32(first_day))
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
    SELECT
        m,
        signal,
        toUnixTimestamp64Micro(ts) AS t,
        assumeNotNull(number) AS n
    FROM
    (
        SELECT
            m,
            signal,
            ts,
            toInt64(round(toFloat64OrNull(value))) AS number,
            leadInFrame(toNullable(ts), 1) OVER (
                PARTITION BY m, signal ORDER BY ts, seq, value ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_ts
        FROM
        (
            SELECT mtc_place(machine_id, {machines:Array(String)}) AS m, signal, ts, seq, value
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND signal IN counters
                AND ts >= toDateTime64(first_day, 6, 'UTC') AND ts < toDateTime64(last_day + 1, 6, 'UTC')
            UNION ALL
            SELECT mtc_place(machine_id, {machines:Array(String)}) AS m, signal, ts, seq, value
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND signal IN counters
                AND (machine_id, signal, toDate32(ts)) IN (
                    SELECT machine_id, signal, day FROM neighbours WHERE isNull(low_between) OR low_between = high_between)
        )
    )
    WHERE isNotNull(number) AND (isNull(next_ts) OR next_ts != ts)
),

-- Which counters a machine has at all: that decides what its total and its rejects are made of.
counters_of AS
(
    SELECT
        mtc_place(machine_id, {machines:Array(String)}) AS m,
        countIf(signal = 'part_count') > 0 AS has_all,
        countIf(signal = 'part_count_good') > 0 AS has_good,
        countIf(signal = 'part_count_bad') > 0 AS has_bad
    FROM mtc.signal_days
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND signal IN ('part_count', 'part_count_good', 'part_count_bad') AND isNotNull(highest)
    GROUP BY m
),

-- total = Δpart_count, else Δgood + Δbad. reject = Δbad, else total − Δgood where there is a good counter,
-- and what operators rejected, at the time the parts were made.
count_steps AS
(
    SELECT
        steps.m AS m,
        t,
        multiIf(signal = 'part_count', step, has_all, 0, step) AS total,
        multiIf(
            signal = 'part_count_bad', step,
            NOT has_all OR has_bad OR NOT has_good, 0,
            signal = 'part_count', step,
            -step) AS reject,
        spike,
        reset
    FROM
    (
        SELECT
            m,
            signal,
            t,
            spike,
            toInt64(4294967296) AS full_round,
            toInt64(16777216) AS nearness,
            n < nearness AND ifNull(previous >= full_round - nearness AND previous < full_round, false) AS went_round,
            NOT spike AND NOT went_round AND ifNull(n < previous, false) AS reset,
            assumeNotNull(multiIf(
                spike OR isNull(previous), 0,
                went_round, n + full_round - previous,
                reset, n,
                n - previous)) AS step
        FROM
        (
            SELECT
                m,
                signal,
                t,
                n,
                spike,
                -- Two neighbours are never both spikes: skipping one is enough.
                if(lagInFrame(spike, 1, false) OVER s, lagInFrame(n_or_null, 2) OVER s, lagInFrame(n_or_null, 1) OVER s)
                    AS previous
            FROM
            (
                SELECT
                    m,
                    signal,
                    t,
                    n,
                    toNullable(n) AS n_or_null,
                    ifNull(before <= after AND after < n AND n > before + 1, false) AS spike
                FROM
                (
                    SELECT
                        m,
                        signal,
                        t,
                        n,
                        lagInFrame(toNullable(n), 1) OVER w AS before,
                        leadInFrame(toNullable(n), 1) OVER w AS after
                    FROM
                    (
                        SELECT
                            m,
                            signal,
                            t,
                            v.n AS n,
                            lagInFrame(toNullable(v.n), 1) OVER (
                                PARTITION BY m, signal ORDER BY t ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS last_n
                        FROM counter_values AS v
                    )
                    WHERE isNull(last_n) OR n != last_n
                    WINDOW w AS (PARTITION BY m, signal ORDER BY t ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)
                )
            )
            WINDOW s AS (PARTITION BY m, signal ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)
        )
        WHERE t >= {from_us:Int64} AND t < {end_us:Int64}
    ) AS steps
    INNER JOIN counters_of AS counters
        ON counters.m = steps.m

    UNION ALL
    SELECT mtc_place(machine_id, {machines:Array(String)}), ts_us, 0, any(count), false, false
    FROM mtc.rejects
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND ts_us >= {from_us:Int64} AND ts_us < {end_us:Int64}
    GROUP BY machine_id, event_id, ts_us
)
