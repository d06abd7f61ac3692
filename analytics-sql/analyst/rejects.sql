SELECT DISTINCT
    toString(machine_id) AS machine_id,
    event_id,
    fromUnixTimestamp64Micro(ts_us, 'UTC') AS ts,
    count,
    reason
FROM mtc.rejects
WHERE tenant_id = {tenant:String}
