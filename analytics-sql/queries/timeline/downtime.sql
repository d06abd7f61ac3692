-- Reasons over stretches that do not overlap: where several annotations cover a stretch the newest (by event id) holds.
-- `excluded` where the machine's policy takes the reason out of planned time.
downtime_intervals AS
(
    WITH
        entries AS
        (
            SELECT
                toString(machine_id) AS machine_id,
                event_id,
                greatest(d.from_us, {from_us:Int64}) AS starts_us,
                least(d.to_us, {end_us:Int64}) AS ends_us,
                reason
            FROM mtc.downtime AS d
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND starts_us < ends_us
        )
    SELECT
        stretches.machine_id AS machine_id,
        stretch_us AS from_us,
        stretch_end_us AS to_us,
        argMax(entries.reason, event_id) AS reason,
        argMax(policy.reasons[entries.reason] = 'excluded', event_id) AS excluded
    FROM
    (
        SELECT
            machine_id,
            edge_us AS stretch_us,
            leadInFrame(edge_us, 1, edge_us) OVER (
                PARTITION BY machine_id ORDER BY edge_us ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS stretch_end_us
        FROM (SELECT DISTINCT machine_id, arrayJoin([starts_us, ends_us]) AS edge_us FROM entries)
    ) AS stretches
    INNER JOIN entries ON entries.machine_id = stretches.machine_id
        AND entries.starts_us <= stretches.stretch_us AND stretches.stretch_us < entries.ends_us
    INNER JOIN policy_in_force AS policy
        ON policy.machine_id = stretches.machine_id
    GROUP BY stretches.machine_id, stretch_us, stretch_end_us
)
