-- Days of the plant's clock, midnight to midnight, UTC without calendar; named by the local day + 1.
buckets AS
(
    SELECT
        machine_id,
        greatest(mtc_utc_us(86400 * day, zone.local_from_s, zone.offset_s), {from_us:Int64}) AS from_us,
        least(mtc_utc_us(86400 * (day + 1), zone.local_from_s, zone.offset_s), {end_us:Int64}) AS to_us,
        day + 1 AS id
    FROM
    (
        SELECT
            machine_id,
            calendar.zone AS zone,
            toInt64(arrayJoin(range(
                intDiv({from_us:Int64}, 86400000000) - 1,
                intDiv({end_us:Int64}, 86400000000) + 2))) AS day
        FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id) AS asked
        LEFT JOIN calendar_in_force USING (machine_id)
    )
    WHERE from_us < to_us
)
,
-- Time in a shift belongs to the day the shift starts, all other time to the day the clock shows.
keyed AS (SELECT *, if(shift_day IN (0, 0xFFFF), bucket, shift_day) AS k, 0 AS k2 FROM timeline),
labelled AS (SELECT *, toString(toDate32(k - 1)) AS key FROM sums)
