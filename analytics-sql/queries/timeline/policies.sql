-- The policy in force: the newest, or the default. Here, and nowhere else, seconds become whole µs.
policy_in_force AS
(
    SELECT
        machine_id,
        if(event_id = '', 'loss', unknown) AS unknown,
        reasons,
        minor_stop_s,
        toInt64(round(1000000 * minor_stop_s)) AS minor_stop_us,
        target_oee
    FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id) AS asked
    LEFT JOIN
    (
        SELECT
            toString(p.machine_id) AS machine_id,
            max(p.event_id) AS event_id,
            argMax(toString(p.unknown), p.event_id) AS unknown,
            argMax(p.reasons, p.event_id) AS reasons,
            argMax(p.minor_stop_s, p.event_id) AS minor_stop_s,
            argMax(p.target_oee, p.event_id) AS target_oee
        FROM mtc.policies AS p
        WHERE p.tenant_id = {tenant:String} AND p.machine_id IN {machines:Array(String)}
        GROUP BY p.machine_id
    ) AS newest USING (machine_id)
)
