SELECT machine_id, part, fromUnixTimestamp64Micro(valid_from_us, 'UTC') AS valid_from, ideal_cycle_s
FROM
(
    SELECT
        toString(c.machine_id) AS machine_id,
        argMax(c.part, c.event_id) AS parts,
        argMax(c.valid_from_us, c.event_id) AS valid_froms,
        argMax(c.ideal_cycle_s, c.event_id) AS ideals
    FROM mtc.cycle_times AS c
    WHERE c.tenant_id = {tenant:String}
    GROUP BY c.machine_id
)
ARRAY JOIN parts AS part, valid_froms AS valid_from_us, ideals AS ideal_cycle_s
