(
    -- One machine's rows in the table, and all rows of its day's file: a row may be in both.
    SELECT toString(tenant_id) AS tenant_id, toString(machine_id) AS machine_id, toString(signal) AS signal, ts, seq, num, word
    FROM mtc.observations
    WHERE tenant_id = {tenant:String} AND machine_id = {machine:String}
        AND ts >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
    UNION ALL
    SELECT tenant_id, machine_id, signal, ts, seq, num, word FROM {lake_file:Text}
)
