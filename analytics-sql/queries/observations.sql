-- Raw rows, each once however often it was sent, after the cursor (ts, seq, signal, value) and in that order.
-- The value of the cursor and of the order is text: of several of one time and sequence the one that holds comes last. Behind
-- it is what else tells it from one that reads the same: a number and a word, two lists of the same alarms.
SELECT
    toString(signal) AS signal,
    toUnixTimestamp64Micro(ts) AS ts_us,
    seq,
    num,
    word,
    mtc_value_text(signal, num, word) AS text,
    concat(text, '\0', multiIf(isNotNull(num), 'n', text = word, 'w', word)) AS value
FROM {rows:Text}
WHERE tenant_id = {tenant:String} AND machine_id = {machine:String}
    AND ({signal:String} = '' OR signal = {signal:String})
    AND ts >= fromUnixTimestamp64Micro({from_us:Int64}, 'UTC') AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
    AND ts >= fromUnixTimestamp64Micro({after_us:Int64}, 'UTC')
    AND (ts_us, seq, signal, value) > ({after_us:Int64}, {after_seq:UInt64}, {after_signal:String}, {after_value:String})
ORDER BY ts, seq, signal, value
LIMIT 1 BY ts, seq, signal, value
LIMIT {limit:UInt32}
