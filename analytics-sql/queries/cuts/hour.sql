-- Hours of the plant's clock, by its offset at `from_us`, UTC without calendar; named by the quarter hour (of 1970) they start.
buckets AS
(
    SELECT
        machine_id,
        greatest(1000000 * start_s, {from_us:Int64}) AS from_us,
        least(1000000 * (start_s + 3600), {end_us:Int64}) AS to_us,
        intDiv(start_s, 900) AS id
    FROM
    (
        SELECT
            machine_id,
            intDiv({from_us:Int64}, 1000000) AS from_s,
            zone.offset_s AS offsets,
            -- An entry of the zone starts at local_from_s − max(offset before, offset after) in UTC.
            arrayCount(
                (local_s, before, after) -> local_s - greatest(before, after) <= from_s,
                zone.local_from_s,
                arrayPopBack(arrayPushFront(offsets, offsets[1])),
                offsets) AS entry,
            toInt64(arrayJoin(range(
                from_s - (from_s + offsets[greatest(1, entry)]) % 3600,
                intDiv({end_us:Int64}, 1000000) + 1,
                3600))) AS start_s
        FROM
        (
            SELECT machine_id, calendar.zone AS zone
            FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id) AS asked
            LEFT JOIN calendar_in_force USING (machine_id)
        )
    )
    WHERE from_us < to_us
)
,
keyed AS (SELECT *, bucket AS k, 0 AS k2 FROM timeline),
labelled AS (SELECT *, formatDateTime(toDateTime(900 * k, 'UTC'), '%Y-%m-%dT%H:%i:%SZ') AS key FROM sums)
