-- One machine's counts behind a figure, a row an instant: parts made and rejected, at which ideal cycle, and what was
-- left out as a spike or counted anew after a reset.
SELECT
    from_us AS ts_us,
    sum(total) AS total_count,
    sum(reject) AS reject_count,
    any(part) AS of_part,
    any(lot) AS of_lot,
    any(order_id) AS of_order,
    any(toString(state)) AS in_state,
    max(intDivOrZero(if(total != 0, a.ideal_total_us, -a.ideal_good_us), if(total != 0, total, reject))) AS ideal_us,
    sum(spikes) AS spike_count,
    sum(resets) AS reset_count
FROM asked AS a
WHERE (total != 0 OR reject != 0 OR spikes > 0 OR resets > 0) AND a.from_us >= {after_us:Int64}
GROUP BY a.from_us
ORDER BY ts_us
LIMIT {limit:UInt32}
