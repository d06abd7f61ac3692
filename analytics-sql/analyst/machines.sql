SELECT
    toString(m.machine_id) AS machine_id,
    argMax(m.name, m.event_id) AS name,
    argMax(m.machine_group, m.event_id) AS machine_group,
    argMax(m.deleted, m.event_id) AS deleted
FROM mtc.machines AS m
WHERE m.tenant_id = {tenant:String}
GROUP BY m.machine_id
