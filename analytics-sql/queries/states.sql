-- Machines' states in a window: neighbours that are equal in state, reason and cause are one row.
SELECT
    {machines:Array(String)}[m] AS machine_id,
    toString(state) AS state,
    min(starts_us) AS starts_us,
    max(ends_us) AS ends_us,
    sum(length_us) / 1e6 AS seconds,
    reason,
    cause
FROM
(
    SELECT *, sum(changed) OVER (PARTITION BY m ORDER BY starts_us ROWS UNBOUNDED PRECEDING) AS run
    FROM
    (
        SELECT
            *,
            (state, reason, cause) != lagInFrame((state, reason, cause), 1) OVER (
                PARTITION BY m ORDER BY starts_us ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS changed
        FROM
        (
            SELECT
                mtc_place(machine_id, {machines:Array(String)}) AS m,
                piece_state AS state,
                piece_reason AS reason,
                piece_cause AS cause,
                greatest(piece_from_us, {from_us:Int64}) AS starts_us,
                least(piece_to_us, {end_us:Int64}) AS ends_us,
                ends_us - starts_us AS length_us
            FROM mtc.machine_days FINAL
            ARRAY JOIN
                from_us AS piece_from_us,
                to_us AS piece_to_us,
                state AS piece_state,
                reason AS piece_reason,
                cause AS piece_cause
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND day >= toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                AND day <= toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC'))
                AND length_us > 0
        )
    )
)
GROUP BY m, run, state, reason, cause
ORDER BY machine_id, starts_us
