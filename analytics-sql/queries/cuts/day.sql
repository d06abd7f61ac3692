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
