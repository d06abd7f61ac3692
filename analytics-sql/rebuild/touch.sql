-- Notes that figures of all machines may differ from {from_us} on, so that what is rolled up of them is done again.
INSERT INTO mtc.touched (tenant_id, machine_id, at, from_us, counters_from_us)
SELECT DISTINCT tenant_id, '', now('UTC'), {from_us:Int64}, {from_us:Int64}
FROM mtc.rolls_v2
