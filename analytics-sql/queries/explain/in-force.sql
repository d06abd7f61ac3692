-- The latest value of every signal that makes up states at an instant, with when it was told.
SELECT signal, toUnixTimestamp64Micro(latest.1) AS ts_us, latest.2 AS seq, latest.3 AS value
FROM
(
    SELECT signal, max(told) AS latest
    FROM
    (
        SELECT toString(signal) AS signal, (ts, seq, toString(value)) AS told
        FROM mtc.signal_points
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
            AND ts >= toStartOfDay(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
            AND ts <= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC')
        UNION ALL
        SELECT toString(signal), (last.1, last.2, last.3)
        FROM mtc.signal_days
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
            AND day < toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
    )
    -- generated: state signals
    WHERE match(signal, '^(availability|execution|controller_mode|functional_mode|emergency_stop|condition)(:|$)')
    -- end of generated
    GROUP BY signal
)
ORDER BY signal
