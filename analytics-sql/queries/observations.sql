-- Raw rows, each once however often it was sent, after the cursor (ts, seq, signal, value) and in that order.
-- The value of the cursor and of the order is text; a number comes before words of its instant.
SELECT
    toString(signal) AS signal,
    toUnixTimestamp64Micro(ts) AS ts_us,
    seq,
    num,
    word,
    if(isNull(num), concat('w', word), concat('n', toString(assumeNotNull(num)))) AS value
FROM mtc.observations
WHERE tenant_id = {tenant:String} AND machine_id = {machine:String}
    AND ({signal:String} = '' OR signal = {signal:String})
    AND ts >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
    AND ts >= fromUnixTimestamp64Micro({after_us:Int64}, 'UTC')
    AND (ts_us, seq, signal, value) > ({after_us:Int64}, {after_seq:UInt64}, {after_signal:String}, {after_value:String})
ORDER BY ts, seq, signal, value
LIMIT 1 BY ts, seq, signal, value
LIMIT {limit:UInt32}
