-- Calendar months of the days of cuts/day.sql.
keyed AS
(
    SELECT *, toInt64(toStartOfMonth(toDate32(if(shift_day IN (0, 65535), local_day, shift_day - 1)))) AS k, '' AS k2
    FROM judged
),
labelled AS (SELECT *, formatDateTime(toDate32(k), '%Y-%m') AS key FROM sums)
