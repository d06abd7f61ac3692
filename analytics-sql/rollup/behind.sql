-- How far each machine is rolled up, and the earliest event time that was touched since that began; what was touched in
-- the second in which it began counts as well. Where the clock was set back since, ten minutes of marks are looked at.
-- A machine that was never rolled up is not listed.
WITH standing AS
(
    SELECT
        toString(r.machine_id) AS machine_id,
        max(r.version) AS version,
        argMax(r.from_us, r.version) AS rolled_from_us,
        argMax(r.to_us, r.version) AS rolled_to_us,
        argMax(r.since_us, r.version) AS since_us,
        intDiv(if(since_us > {now_us:Int64}, {now_us:Int64} - 600000000, since_us), 1000000) AS since_s
    FROM mtc.rolls_v2 AS r
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    GROUP BY r.machine_id
)
SELECT
    machine_id,
    version,
    rolled_from_us,
    rolled_to_us,
    since_us,
    countIf(at_s >= since_s) > 0 AS touched,
    minIf(marks.from_us, at_s >= since_s) AS touched_us,
    minIf(marks.counters_from_us, at_s >= since_s) AS counters_us
FROM standing
LEFT JOIN
(
    SELECT
        arrayJoin(if(t.machine_id = '', {machines:Array(String)}, [toString(t.machine_id)])) AS machine_id,
        toInt64(toUnixTimestamp(t.at)) AS at_s,
        t.from_us AS from_us,
        t.counters_from_us AS counters_from_us
    FROM mtc.touched AS t
    WHERE t.tenant_id = {tenant:String} AND t.at >= (SELECT toDateTime(min(since_s), 'UTC') FROM standing)
) AS marks USING (machine_id)
GROUP BY machine_id, version, rolled_from_us, rolled_to_us, since_us
