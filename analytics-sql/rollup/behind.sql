-- How far each machine is rolled up, and the earliest event time that was touched since that began. Where the clock was
-- set back since, ten minutes of marks are looked at.
-- A machine that was never rolled up is not listed.
WITH standing AS
(
    SELECT
        toString(r.machine_id) AS machine_id,
        max(r.version) AS version,
        argMax(r.from_us, r.version) AS rolled_from_us,
        argMax(r.to_us, r.version) AS rolled_to_us,
        argMax(r.since_us, r.version) AS since_us,
        if(since_us > {now_us:Int64}, {now_us:Int64} - 600000000, since_us) AS marks_from_us
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
    countIf(last_us >= marks_from_us) > 0 AS touched,
    minIf(marks.from_us, last_us >= marks_from_us) AS touched_us,
    minIf(marks.counters_from_us, last_us >= marks_from_us) AS counters_us
FROM standing
LEFT JOIN
(
    SELECT
        arrayJoin(if(t.machine_id = '', {machines:Array(String)}, [toString(t.machine_id)])) AS machine_id,
        t.last_us AS last_us,
        t.from_us AS from_us,
        t.counters_from_us AS counters_from_us
    FROM mtc.touched AS t
    -- A mark's second may be told by a coarser clock than its instant, and lag behind it.
    WHERE t.tenant_id = {tenant:String} AND t.at >= (SELECT toDateTime(intDiv(min(marks_from_us), 1000000) - 1, 'UTC') FROM standing)
) AS marks USING (machine_id)
GROUP BY machine_id, version, rolled_from_us, rolled_to_us, since_us
