-- Days of machines, rolled up: each day's pieces in one row, which takes the place of the row before it.
-- {from_us} and {end_us} reach beyond the days by the longest minor stop: {first_day} and {last_day} are what is kept.
SELECT
    {tenant:String} AS tenant_id,
    {machines:Array(String)}[m] AS machine_id,
    toDate32(fromUnixTimestamp64Micro(from_us, 'UTC')) AS day,
    {version:UInt64} AS version,
    -- generated: pieces
    groupArray(from_us),
    groupArray(to_us),
    groupArray(state),
    groupArray(cause),
    groupArray(labels[1]),
    groupArray(toUInt32(intDiv(hour, 128))),
    groupArray(toInt8(hour % 128 - 64)),
    groupArray(toUInt16(shift_day)),
    groupArray(labels[2]),
    groupArray(scheduled),
    groupArray(labels[3]),
    groupArray(labels[4]),
    groupArray(labels[5]),
    groupArray(minor),
    groupArray(starts),
    groupArray(total),
    groupArray(reject),
    groupArray(toUInt16(spikes)),
    groupArray(toUInt16(resets)),
    groupArray(ideal_us)
    -- end of generated
FROM
(
    -- Each mention of `names` is another copy of all that it is made of, to plan: so there is one for all labels.
    SELECT
        *,
        arrayMap(
            id -> transform(id, names.1, names.2, ''),
            [stop_reason_id, shift_id, part_id, lot_id, order_hash]) AS labels
    FROM pieces
)
WHERE from_us >= {first_us:Int64} AND from_us < {last_us:Int64}
GROUP BY m, day
