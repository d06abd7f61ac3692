-- The signals of one machine that states and counts are made of, as far as it ever told any.
SELECT DISTINCT toString(signal) AS signal
FROM mtc.signal_days
WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    AND day <= toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC'))
ORDER BY signal
