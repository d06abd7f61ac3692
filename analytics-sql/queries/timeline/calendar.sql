-- The plant's clock: shifts and breaks as intervals of UTC.

-- The newest calendar of every machine that has one.
calendar_in_force AS
(
    SELECT toString(c.machine_id) AS machine_id, argMax(c.calendar, c.event_id) AS calendar
    FROM mtc.calendars AS c
    WHERE c.tenant_id = {tenant:String} AND c.machine_id IN {machines:Array(String)}
    GROUP BY c.machine_id
),

-- Every occurrence of a shift near the window, and its breaks. A night shift belongs to the day it starts.
-- Where the clock leaps over the end of one shift, that shift ends where the next begins.
-- Machines of one calendar are expanded together.
shift_occurrences AS
(
    SELECT
        machine_ids,
        day,
        name,
        starts_us,
        least(own_end_us, leadInFrame(starts_us, 1, own_end_us) OVER (
            PARTITION BY machine_ids ORDER BY starts_us ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING)) AS ends_us,
        breaks
    FROM
    (
        SELECT
            machine_ids,
            day,
            name,
            mtc_utc_us(86400 * day + start_s, zone.local_from_s, zone.offset_s) AS starts_us,
            mtc_utc_us(86400 * day + end_s, zone.local_from_s, zone.offset_s) AS own_end_us,
            arrayMap(
                (s, e) -> (
                    mtc_utc_us(86400 * day + s, zone.local_from_s, zone.offset_s),
                    mtc_utc_us(86400 * day + e, zone.local_from_s, zone.offset_s)),
                break_start_s, break_end_s) AS breaks
        FROM
        (
            SELECT
                groupArray(machine_id) AS machine_ids,
                calendar.zone AS zone,
                calendar.exception_dates AS exception_dates,
                calendar.shifts AS shifts,
                toInt64(arrayJoin(range(
                    intDiv({from_us:Int64}, 86400000000) - 2,
                    intDiv({end_us:Int64}, 86400000000) + 3))) AS day
            FROM calendar_in_force
            GROUP BY calendar
        )
        ARRAY JOIN
            shifts.weekday AS weekday,
            shifts.date AS date,
            shifts.name AS name,
            shifts.start_s AS start_s,
            shifts.end_s AS end_s,
            shifts.break_start_s AS break_start_s,
            shifts.break_end_s AS break_end_s
        WHERE if(
            has(exception_dates, toDate32(day)),
            weekday = 0 AND date = toDate32(day),
            weekday = toDayOfWeek(toDate32(day)))
    )
    WHERE own_end_us > starts_us
),

-- As (machine, track, interval, delta): see `swept`. A machine without calendar is scheduled all the time.
calendar_intervals AS
(
    SELECT
        arrayJoin(machine_ids) AS machine_id,
        piece.1 AS track,
        greatest(piece.2, {from_us:Int64}) AS from_us,
        least(piece.3, {end_us:Int64}) AS to_us,
        piece.4 AS delta
    FROM shift_occurrences
    ARRAY JOIN arrayConcat(
        [
            (toUInt8(3), starts_us, ends_us, toInt64(day + 1)),
            (toUInt8(5), starts_us, ends_us, reinterpretAsInt64(sipHash64(name)))
        ],
        arrayMap(
            pause -> (toUInt8(3), greatest(pause.1, starts_us), least(pause.2, ends_us), toInt64(0x10000)),
            breaks)) AS piece
    WHERE from_us < to_us

    UNION ALL
    SELECT arrayJoin({machines:Array(String)}) AS machine_id, toUInt8(3), {from_us:Int64}, {end_us:Int64}, toInt64(0xFFFF)
    WHERE machine_id NOT IN (
        SELECT machine_id
        FROM mtc.calendars
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)})
)
