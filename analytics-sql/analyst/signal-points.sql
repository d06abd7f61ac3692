SELECT DISTINCT
    toString(machine_id) AS machine_id,
    toString(signal) AS signal,
    ts,
    seq,
    toString(value) AS value
FROM mtc.signal_points
WHERE tenant_id = {tenant:String}
