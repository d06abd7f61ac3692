-- What could not be read from the topic, in the order in which that was found, from a time on.
SELECT
    concat(topic, '/', toString(partition), '/', toString(offset)) AS place,
    key AS machine_id,
    error,
    message,
    toUnixTimestamp64Milli(at) AS time_ms
FROM mtc.dead_letters FINAL
WHERE at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
ORDER BY at, place
LIMIT {limit:UInt32}
