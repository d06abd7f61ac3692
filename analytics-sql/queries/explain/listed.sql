-- One machine's intervals behind a figure, each with the counts in it: neighbours between which nothing changes that the
-- figure could see are one. What happens at an instant is a piece without length before the piece that starts there; what
-- starts with it belongs to the interval. A count is an instant with what was made and rejected, left out as a spike or
-- counted anew after a reset.
SELECT
    min(starts_us) AS from_us,
    max(ends_us) AS to_us,
    toString(what.1) AS state,
    what.2 AS reason,
    what.3 AS cause,
    if(what.4 IN (0, 65535), '', toString(toDate32(what.4 - 1))) AS shift_day,
    what.5 AS shift,
    CAST(what.6, 'Bool') AS scheduled,
    CAST(what.7, 'Bool') AS excluded,
    what.8 AS loss,
    sum(failed) AS failures,
    sum(stopped) AS stops,
    arraySlice(arraySort(groupArrayIf(count, counts AND starts_us >= {after_us:Int64})), 1, {limit:UInt32}) AS counts_in_it
FROM
(
    SELECT *, sum(changed) OVER (ORDER BY starts_us ROWS UNBOUNDED PRECEDING) AS run
    FROM
    (
        SELECT
            *,
            starts_us != lagInFrame(ends_us, 1) OVER before OR what != lagInFrame(what, 1) OVER before AS changed
        FROM
        (
            SELECT
                from_us AS starts_us,
                max(a.to_us) AS ends_us,
                argMax((state, reason, cause, shift_day, shift, scheduled_us > 0, excluded, loss), a.to_us) AS what,
                sum(failures) AS failed,
                sum(stops) AS stopped,
                max(total != 0 OR reject != 0 OR spikes > 0 OR resets > 0) AS counts,
                (
                    from_us,
                    sum(total),
                    sum(reject),
                    any(part),
                    any(lot),
                    any(order_id),
                    any(toString(state)),
                    max(intDivOrZero(if(total != 0, a.ideal_total_us, -a.ideal_good_us), if(total != 0, total, reject))),
                    sum(spikes),
                    sum(resets)
                ) AS count
            FROM asked AS a
            GROUP BY a.from_us
        )
        WINDOW before AS (ORDER BY starts_us ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
    )
)
GROUP BY run, what
HAVING from_us >= {after_us:Int64} OR notEmpty(counts_in_it)
ORDER BY from_us
LIMIT {limit:UInt32}
