-- The plant's clock: shifts and breaks as intervals of UTC.

-- Which calendar holds when, (from µs, to µs, calendar): at any time the newest entry that is valid by then, so an
-- entry leaves the time before it alone. Machines of one history are expanded together.
calendar_histories AS
(
    SELECT groupArray(machine_id) AS machine_ids, periods
    FROM
    (
        SELECT machine_id, arraySort(p -> p.1, groupArray((holds_from_us, holds_to_us, calendar))) AS periods
        FROM
        (
            SELECT
                toString(c.machine_id) AS machine_id,
                c.valid_from_us AS holds_from_us,
                argMax(c.calendar, c.event_id) OVER (
                    PARTITION BY c.machine_id ORDER BY c.valid_from_us, c.event_id ROWS UNBOUNDED PRECEDING) AS calendar,
                leadInFrame(c.valid_from_us, 1, 9223372036854775807) OVER (
                    PARTITION BY c.machine_id ORDER BY c.valid_from_us, c.event_id
                    ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS holds_to_us
            FROM mtc.calendars AS c
            WHERE c.tenant_id = {tenant:String} AND c.machine_id IN {machines:Array(String)}
        )
        WHERE holds_from_us < holds_to_us
        GROUP BY machine_id
    )
    GROUP BY periods
),

-- Every occurrence of a shift near the window, and its breaks. A night shift belongs to the day it starts, and a shift
-- to the calendar that holds when it starts. Where the clock leaps over the end of one shift, or another calendar
-- begins, that shift ends where the next begins; where there is no calendar any more, it ends at once.
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
            least(mtc_utc_us(86400 * day + end_s, zone.local_from_s, zone.offset_s), cut_us) AS own_end_us,
            arrayMap(
                (s, e) -> (
                    mtc_utc_us(86400 * day + s, zone.local_from_s, zone.offset_s),
                    mtc_utc_us(86400 * day + e, zone.local_from_s, zone.offset_s)),
                break_start_s, break_end_s) AS breaks
        FROM
        (
            SELECT
                machine_ids,
                period.1 AS holds_from_us,
                period.2 AS holds_to_us,
                if(next_timezone = '', period.2, 9223372036854775807) AS cut_us,
                period.3.zone AS zone,
                period.3.exception_dates AS exception_dates,
                period.3.shifts AS shifts,
                toInt64(arrayJoin(range(
                    intDiv({from_us:Int64}, 86400000000) - 2,
                    intDiv({end_us:Int64}, 86400000000) + 3))) AS day
            FROM calendar_histories
            ARRAY JOIN
                periods AS period,
                arrayPushBack(arrayPopFront(arrayMap(p -> p.3.timezone, periods)), '') AS next_timezone
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
            AND starts_us >= holds_from_us AND starts_us < holds_to_us
    )
    WHERE own_end_us > starts_us
),

-- As (machine, track, interval, delta): see `swept`. Without calendar, or since one ended
-- (its time zone is empty), a machine is scheduled all the time.
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
    SELECT
        arrayJoin(machine_ids),
        toUInt8(3),
        greatest(period.1, {from_us:Int64}) AS ended_from_us,
        least(period.2, {end_us:Int64}) AS ended_to_us,
        toInt64(0xFFFF)
    FROM calendar_histories
    ARRAY JOIN periods AS period
    WHERE period.3.timezone = '' AND ended_from_us < ended_to_us

    UNION ALL
    SELECT
        asked.machine_id,
        toUInt8(3),
        {from_us:Int64},
        if(calendars.machine_id = '', {end_us:Int64}, least({end_us:Int64}, holds_from_us)) AS no_calendar_to_us,
        toInt64(0xFFFF)
    FROM (SELECT arrayJoin({machines:Array(String)}) AS machine_id) AS asked
    LEFT JOIN
    (
        SELECT toString(c.machine_id) AS machine_id, min(c.valid_from_us) AS holds_from_us
        FROM mtc.calendars AS c
        WHERE c.tenant_id = {tenant:String} AND c.machine_id IN {machines:Array(String)}
        GROUP BY c.machine_id
    ) AS calendars ON calendars.machine_id = asked.machine_id
    WHERE no_calendar_to_us > {from_us:Int64}
)
