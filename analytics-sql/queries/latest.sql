-- The latest value of every signal: of the last two days whatever it is, and of state and counter signals ever.
SELECT
    machine_id,
    signal,
    toUnixTimestamp64Micro(max(at)) AS ts_us,
    argMax(sequence, (at, sequence, text)) AS seq,
    argMax(number, (at, sequence, text)) AS num,
    argMax(text, (at, sequence, text)) AS word
FROM
(
    SELECT machine_id, signal, ts AS at, seq AS sequence, num AS number, word AS text
    FROM mtc.observations
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND ts >= fromUnixTimestamp64Micro({recent_us:Int64}, 'UTC')
    UNION ALL
    SELECT
        machine_id,
        signal,
        last.1 AS at,
        last.2 AS sequence,
        if(signal LIKE 'part_count%', toFloat64OrNull(last.3), NULL) AS number,
        if(isNull(number), last.3, '') AS text
    FROM mtc.signal_days
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
)
GROUP BY machine_id, signal
