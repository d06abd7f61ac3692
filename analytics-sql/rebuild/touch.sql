-- Notes that figures of all machines may differ from {from_us} on, so that what is rolled up of them is done again.
INSERT INTO mtc.touched (tenant_id, machine_id, at, from_us, counters_from_us, last_us)
SELECT DISTINCT tenant_id, '', now('UTC'), {from_us:Int64}, {from_us:Int64}, toUnixTimestamp64Micro(now64(6, 'UTC'))
FROM mtc.rolls_v2
