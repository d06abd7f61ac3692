-- The plant's clock: shifts, breaks, and the hours and days that figures are cut into, as intervals of UTC.

-- The newest calendar of every machine asked for; of a machine without one everything is empty.
calendar_in_force AS
(
    SELECT machine_id, calendar, event_id != '' AS has_calendar
    FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id) AS asked
    LEFT JOIN
    (
        SELECT toString(machine_id) AS machine_id, max(c.event_id) AS event_id, argMax(c.calendar, c.event_id) AS calendar
        FROM mtc.calendars AS c
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        GROUP BY machine_id
    ) AS newest USING (machine_id)
),

-- The names of shifts, sorted: a shift is carried through the sweep as its place here.
(
    SELECT arraySort(groupUniqArray(name))
    FROM calendar_in_force
    ARRAY JOIN calendar.shifts.name AS name
) AS shift_names,

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
            mtc_utc_us(86400 * day + start_s, local_from_s, offset_s) AS starts_us,
            mtc_utc_us(86400 * day + end_s, local_from_s, offset_s) AS own_end_us,
            arrayZip(
                arrayMap(s -> mtc_utc_us(86400 * day + s, local_from_s, offset_s), break_start_s),
                arrayMap(s -> mtc_utc_us(86400 * day + s, local_from_s, offset_s), break_end_s)) AS breaks
        FROM
        (
            SELECT
                machine_ids,
                calendar.exception_dates AS exception_dates,
                calendar.shifts AS shifts,
                calendar.zone.local_from_s AS local_from_s,
                calendar.zone.offset_s AS offset_s,
                toInt64(arrayJoin(range(
                    intDiv({from_us:Int64}, 86400000000) - 2,
                    intDiv({end_us:Int64}, 86400000000) + 3))) AS day
            FROM
            (
                SELECT calendar, groupArray(machine_id) AS machine_ids
                FROM calendar_in_force
                WHERE has_calendar
                GROUP BY calendar
            )
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

-- Everything of the calendar that the sweep needs, as (machine, track, interval, id); tracks as in mtc.timeline.
--   5 shift   4096 × (local day + 1) + place of the name; 1 for a machine without calendar: all its time is scheduled
--   6 break   1
--   7 bucket  for 'hour' the UTC second it starts, for 'day' the plant-local day + 1 (midnight to midnight)
-- Hours start where the plant's clock shows a full hour, by its offset at `from_us`.
calendar_intervals AS
(
    SELECT
        machine_id,
        track,
        greatest(starts_us, {from_us:Int64}) AS from_us,
        least(ends_us, {end_us:Int64}) AS to_us,
        id
    FROM
    (
        SELECT
            arrayJoin(machine_ids) AS machine_id,
            toUInt8(5) AS track,
            starts_us,
            ends_us,
            toInt64(4096 * (day + 1) + indexOf(shift_names, name)) AS id
        FROM shift_occurrences

        UNION ALL
        SELECT machine_id, toUInt8(5), {from_us:Int64}, {end_us:Int64}, toInt64(1)
        FROM calendar_in_force
        WHERE NOT has_calendar

        UNION ALL
        SELECT
            arrayJoin(machine_ids),
            toUInt8(6),
            greatest(pause.1, starts_us),
            least(pause.2, ends_us),
            toInt64(1)
        FROM shift_occurrences
        ARRAY JOIN breaks AS pause

        UNION ALL
        SELECT machine_id, toUInt8(7), 1000000 * start_s, 1000000 * (start_s + 3600), start_s
        FROM
        (
            SELECT
                machine_id,
                intDiv({from_us:Int64}, 1000000) AS from_s,
                calendar.zone.offset_s AS offsets,
                -- An entry of the zone starts at local_from_s − max(offset before, offset after) in UTC.
                arrayCount(
                    (local_s, before, after) -> local_s - greatest(before, after) <= from_s,
                    calendar.zone.local_from_s,
                    arrayPopBack(arrayPushFront(offsets, offsets[1])),
                    offsets) AS entry,
                toInt64(arrayJoin(range(
                    from_s - (from_s + offsets[greatest(1, entry)]) % 3600,
                    intDiv({end_us:Int64}, 1000000) + 1,
                    3600))) AS start_s
            FROM calendar_in_force
            WHERE {bucket:String} = 'hour'
        )

        UNION ALL
        SELECT
            machine_id,
            toUInt8(7),
            mtc_utc_us(86400 * day, local_from_s, offset_s),
            mtc_utc_us(86400 * (day + 1), local_from_s, offset_s),
            day + 1
        FROM
        (
            SELECT
                machine_id,
                calendar.zone.local_from_s AS local_from_s,
                calendar.zone.offset_s AS offset_s,
                toInt64(arrayJoin(range(
                    intDiv({from_us:Int64}, 86400000000) - 1,
                    intDiv({end_us:Int64}, 86400000000) + 2))) AS day
            FROM calendar_in_force
            WHERE {bucket:String} = 'day'
        )
    )
    WHERE to_us > from_us
)
