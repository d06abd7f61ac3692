-- The first day (UTC) of each machine on which anything is known of it.
SELECT machine_id, 86400000000 * toInt64(toInt32(min(day))) AS day_us
FROM mtc.signal_days
WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
GROUP BY machine_id
