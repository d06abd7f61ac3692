-- Every machine of which anything is known, deleted ones as well, and since when: µs, 0 where nothing dates it.
SELECT toString(tenant_id) AS tenant, toString(machine_id) AS machine, minIf(known_us, known_us > 0) AS since_us
FROM
(
    SELECT tenant_id, machine_id, 0 AS known_us FROM mtc.machines
    UNION ALL
    SELECT tenant_id, machine_id, 86400000000 * toInt64(toInt32(day)) FROM mtc.signal_days
    UNION ALL
    SELECT tenant_id, machine_id, from_us FROM mtc.gaps
    UNION ALL
    SELECT tenant_id, machine_id, ts_us FROM mtc.rejects
)
WHERE machine_id != ''
GROUP BY tenant, machine
ORDER BY tenant, machine
