SELECT DISTINCT
    toString(machine_id) AS machine_id,
    toString(signal) AS signal,
    ts,
    seq,
    num,
    word
FROM mtc.observations
WHERE tenant_id = {tenant:String}
