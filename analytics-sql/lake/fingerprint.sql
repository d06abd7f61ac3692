-- What there is of one day, each row once, by tenant and machine: how much, between when, and the sum of the rows'
-- hashes, which no order of rows and no row sent twice can change.
SELECT
    toString(tenant_id) AS tenant,
    toString(machine_id) AS machine,
    count() AS rows,
    toUnixTimestamp64Micro(min(ts)) AS min_us,
    toUnixTimestamp64Micro(max(ts)) AS max_us,
    concat(toString(rows), '-', lower(hex(sum(cityHash64(
        toString(signal), toUnixTimestamp64Micro(ts), seq, isNull(num), ifNull(num, 0), word))))) AS fingerprint
FROM {rows:Text}
WHERE ts >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
GROUP BY tenant_id, machine_id
ORDER BY tenant, machine
