-- The hours of the plant's clock, by the offset its zone has at that time, UTC without calendar: nothing is cut finer by
-- the clock, and every figure by hour or by day is a sum over them. They are cut at midnights of UTC too, where days of
-- the roll-up meet. `id` is 128 × hours since 1970-01-01T00:00 local + 64 + the offset in quarters of an hour.
hours AS
(
    SELECT
        arrayJoin(machine_ids) AS machine_id,
        piece.1 AS from_us,
        piece.2 AS to_us,
        id
    FROM
    (
        SELECT
            machine_ids,
            128 * local_hour + 64 + intDiv(offset_s, 900) AS id,
            greatest(1000000 * (3600 * local_hour - offset_s), starts_us) AS hour_us,
            least(1000000 * (3600 * (local_hour + 1) - offset_s), ends_us) AS hour_end_us,
            86400000000 * intDiv(hour_end_us - 1, 86400000000) AS midnight_us
        FROM
        (
            -- An entry of a zone starts at local_from_s − max(offset before, offset after) in UTC.
            SELECT
                machine_ids,
                offset_s,
                greatest({from_us:Int64}, holds_from_us, if(entry = 1, 0, 1000000 * (local_s - greatest(before_s, offset_s)))) AS starts_us,
                least({end_us:Int64}, holds_to_us, if(entry = length(offsets), {end_us:Int64}, 1000000 * (next_local_s - greatest(offset_s, next_s)))) AS ends_us,
                toInt64(arrayJoin(range(
                    intDiv(intDiv(starts_us, 1000000) + offset_s, 3600),
                    intDiv(intDiv(ends_us - 1, 1000000) + offset_s, 3600) + 1))) AS local_hour
            FROM
            (
                SELECT
                    machine_ids,
                    clock.1 AS holds_from_us,
                    clock.2 AS holds_to_us,
                    clock.3 AS local_froms,
                    clock.4 AS offsets
                FROM
                (
                    SELECT machine_ids, arrayMap(p -> (p.1, p.2, p.3.zone.local_from_s, p.3.zone.offset_s), periods) AS clocks
                    FROM calendar_histories

                    UNION ALL
                    SELECT groupArray(machine_id), CAST([], 'Array(Tuple(Int64, Int64, Array(Int64), Array(Int64)))')
                    FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id)
                    WHERE machine_id NOT IN (SELECT arrayJoin(machine_ids) FROM calendar_histories)
                )
                ARRAY JOIN arrayPushFront(
                    clocks,
                    (toInt64(0), if(empty(clocks), {end_us:Int64}, clocks[1].1), [toInt64(0)], [toInt64(0)])) AS clock
            )
            ARRAY JOIN
                offsets AS offset_s,
                local_froms AS local_s,
                arrayEnumerate(offsets) AS entry,
                arrayPopBack(arrayPushFront(offsets, offsets[1])) AS before_s,
                arrayPopFront(arrayPushBack(offsets, 0)) AS next_s,
                arrayPopFront(arrayPushBack(local_froms, 0)) AS next_local_s
            WHERE starts_us < ends_us
        )
    )
    ARRAY JOIN if(hour_us < midnight_us, [(hour_us, midnight_us), (midnight_us, hour_end_us)], [(hour_us, hour_end_us)]) AS piece
)
