-- A counter's value decides whether the one before it is a spike: so for each machine the start of the day (UTC) on which
-- the run of equal values before {counters_us} began, or a day before that. Going back day by day, the run began in the
-- first day that surely brings a second number (timeline/counters.sql says when). A machine with no earlier value is not
-- listed.
SELECT machine_id, min(day_us) AS day_us
FROM
(
    SELECT machine_id, signal, maxIf(day, ifNull(lowest_last != highest_last, false) OR moved_days >= 7) AS second, min(day) AS first,
        toInt64(86400000000) * toInt32(if(second = toDate32(0), first, second)) AS day_us
    FROM
    (
        SELECT
            machine_id,
            signal,
            day,
            min(last_number) OVER back AS lowest_last,
            max(last_number) OVER back AS highest_last,
            countIf(moved) OVER back AS moved_days
        FROM
        (
            SELECT
                toString(machine_id) AS machine_id,
                toString(signal) AS signal,
                d.day AS day,
                min(d.lowest) AS low,
                max(d.highest) != low AS moved,
                accurateCastOrNull(round(toFloat64OrNull(max(d.last_known).value)), 'Int64') AS last_number
            FROM mtc.signal_days AS d
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND signal IN ('part_count', 'part_count_good', 'part_count_bad')
                AND day < toDate32(fromUnixTimestamp64Micro({counters_us:Array(Int64)}[mtc_place(machine_id, {machines:Array(String)})], 'UTC'))
            GROUP BY machine_id, signal, day
            HAVING isNotNull(low)

            UNION ALL
            SELECT
                toString(machine_id),
                toString(signal),
                toDate32(ts) AS day,
                min(accurateCastOrNull(round(toFloat64OrNull(toString(value))), 'Int64') AS number) AS low,
                max(number) != low AS moved,
                argMaxIf(number, (ts, seq, toString(value)), isNotNull(number)) AS last_number
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND signal IN ('part_count', 'part_count_good', 'part_count_bad')
                AND ts >= toStartOfDay(fromUnixTimestamp64Micro({earliest_us:Int64}, 'UTC'))
                AND ts >= toStartOfDay(fromUnixTimestamp64Micro({counters_us:Array(Int64)}[mtc_place(machine_id, {machines:Array(String)})], 'UTC'))
                AND ts < fromUnixTimestamp64Micro({counters_us:Array(Int64)}[mtc_place(machine_id, {machines:Array(String)})], 'UTC')
            GROUP BY machine_id, signal, day
            HAVING isNotNull(low)
        )
        WINDOW back AS (PARTITION BY machine_id, signal ORDER BY day DESC ROWS UNBOUNDED PRECEDING)
    )
    GROUP BY machine_id, signal
)
GROUP BY machine_id
