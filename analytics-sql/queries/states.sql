-- A machine's states in a window: neighbours that are equal in state, reason and cause are one row.
SELECT
    {machines:Array(String)}[m] AS machine_id,
    state,
    min(from_us) AS starts_us,
    max(to_us) AS ends_us,
    sum(length_us) / 1e6 AS seconds,
    reasons[reason_id] AS reason,
    cause
FROM
(
    SELECT
        *,
        sum(changed) OVER (PARTITION BY m ORDER BY from_us ROWS UNBOUNDED PRECEDING) AS run
    FROM
    (
        SELECT
            *,
            (state, reason_id, cause) != lagInFrame((state, reason_id, cause), 1, ('', toInt64(0), '')) OVER (
                PARTITION BY m ORDER BY from_us ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS changed
        FROM (SELECT m, toString(state) AS state, from_us, to_us, length_us, stop_reason_id AS reason_id, cause FROM timeline)
        WHERE length_us > 0
    )
)
GROUP BY m, run, state, reason_id, cause
ORDER BY machine_id, starts_us
