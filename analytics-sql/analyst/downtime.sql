SELECT
    machine_id,
    annotation,
    fromUnixTimestamp64Micro(said.2, 'UTC') AS starts_at,
    fromUnixTimestamp64Micro(said.3, 'UTC') AS ends_at,
    said.4 AS reason,
    said.5 AS note
FROM
(
    SELECT
        toString(machine_id) AS machine_id,
        if(annotation_id = '', event_id, annotation_id) AS annotation,
        argMax((deleted, from_us, to_us, reason, note), event_id) AS said
    FROM mtc.downtime
    WHERE tenant_id = {tenant:String}
    GROUP BY machine_id, annotation
)
WHERE NOT said.1
