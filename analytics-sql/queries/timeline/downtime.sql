-- Operators' reasons over stretches that do not overlap: the newest version of each annotation, and where several cover
-- a stretch the newest (by event id) of those.
downtime_intervals AS
(
    WITH
        entries AS
        (
            SELECT
                machine_id,
                event_id,
                greatest(said.2, {from_us:Int64}) AS starts_us,
                least(said.3, {end_us:Int64}) AS ends_us,
                said.4 AS reason
            FROM
            (
                SELECT
                    toString(d.machine_id) AS machine_id,
                    max(d.event_id) AS event_id,
                    argMax((d.deleted, d.from_us, d.to_us, d.reason), d.event_id) AS said
                FROM mtc.downtime AS d
                WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                GROUP BY d.machine_id, if(d.annotation_id = '', d.event_id, d.annotation_id)
            )
            WHERE NOT said.1 AND starts_us < ends_us
        )
    SELECT
        stretches.machine_id AS machine_id,
        stretch_us AS from_us,
        stretch_end_us AS to_us,
        argMax(entries.reason, event_id) AS reason
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
    GROUP BY stretches.machine_id, stretch_us, stretch_end_us
)
