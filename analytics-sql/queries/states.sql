-- Machines' states in a window: neighbours that are equal in state, reason and cause are one row. A filter leaves
-- holes.
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
            starts_us != lagInFrame(ends_us, 1) OVER before
                OR (state, reason, cause) != lagInFrame((state, reason, cause), 1) OVER before AS changed
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
                cause AS piece_cause,
                shift AS piece_shift,
                part AS piece_part,
                lot AS piece_lot,
                order_id AS piece_order_id
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND day >= toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                AND day <= toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC'))
                AND length_us > 0
                AND (empty({of_shift:Array(String)}) OR has({of_shift:Array(String)}, piece_shift))
                AND (empty({of_part:Array(String)}) OR has({of_part:Array(String)}, piece_part))
                AND (empty({of_lot:Array(String)}) OR has({of_lot:Array(String)}, piece_lot))
                AND (empty({of_order:Array(String)}) OR has({of_order:Array(String)}, piece_order_id))
        )
        WINDOW before AS (PARTITION BY m ORDER BY starts_us ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
)
GROUP BY m, run, state, reason, cause
ORDER BY machine_id, starts_us
