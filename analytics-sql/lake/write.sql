-- One machine's day as a file, each row once, in the order of the table's key, so that nothing is sorted or kept.
INSERT INTO FUNCTION file({file:String}, 'Parquet')
SELECT toString(tenant_id) AS tenant_id, toString(machine_id) AS machine_id, toString(signal) AS signal, ts, seq, num, word
FROM mtc.observations FINAL
WHERE tenant_id = {tenant:String} AND machine_id = {machine:String}
    AND ts >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
ORDER BY mtc.observations.signal, ts, seq, num, word
