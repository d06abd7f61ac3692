SELECT
    machine_id,
    fromUnixTimestamp64Micro(lot_from_us, 'UTC') AS starts_at,
    if(said.4 = 0, NULL, fromUnixTimestamp64Micro(said.4, 'UTC')) AS ends_at,
    said.1 AS lot,
    said.2 AS part,
    said.3 AS order_id
FROM
(
    SELECT
        toString(machine_id) AS machine_id,
        from_us AS lot_from_us,
        argMax((lot, part, order_id, to_us), event_id) AS said
    FROM mtc.lots
    WHERE tenant_id = {tenant:String}
    GROUP BY machine_id, from_us
)
WHERE said.4 = 0 OR said.4 > lot_from_us
