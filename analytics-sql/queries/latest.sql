-- The latest value of every signal: of the last two days whatever it is, and of state and counter signals ever. Of several
-- of one time and sequence the one whose text is the greatest (mtc_value_text); of those that read the same the greatest
-- word. What a day leaves behind is that text, so the observation itself goes before it. Together in a tuple, since argMax
-- passes over a NULL of its own.
SELECT
    machine_id,
    signal,
    toUnixTimestamp64Micro(latest.1) AS ts_us,
    latest.2 AS seq,
    latest.3 AS num,
    latest.4 AS word
FROM
(
    SELECT
        machine_id,
        signal,
        argMax((at, sequence, number, told), (at, sequence, text, is_observation, told)) AS latest
    FROM
    (
        SELECT
            machine_id,
            signal,
            ts AS at,
            seq AS sequence,
            num AS number,
            word AS told,
            mtc_value_text(signal, num, word) AS text,
            true AS is_observation
        FROM mtc.observations
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
            AND (machine_id, signal, ts, seq) IN (
                SELECT machine_id, signal, newest.1, newest.2
                FROM
                (
                    SELECT machine_id, signal, max((ts, seq)) AS newest
                    FROM mtc.observations
                    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                        AND ts >= fromUnixTimestamp64Micro({recent_us:Int64}, 'UTC')
                    GROUP BY machine_id, signal
                )
            )
        UNION ALL
        SELECT
            machine_id,
            signal,
            last.1 AS at,
            last.2 AS sequence,
            if(match(signal, '^part_(count|pulse|event)') AND isFinite(toFloat64OrNull(last.3)), toFloat64OrNull(last.3), NULL) AS number,
            if(isNull(number), last.3, '') AS told,
            last.3 AS text,
            false AS is_observation
        FROM mtc.signal_days
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    )
    GROUP BY machine_id, signal
)
