-- What a figure is summed from, by machine, state, reason, cause and what the policy makes of it, µs and counts.
SELECT
    m,
    toString(state) AS in_state,
    reason,
    cause,
    excluded,
    loss,
    sum(length_us) AS sum_length_us,
    sum(a.scheduled_us) AS sum_scheduled_us,
    sum(failures) AS failure_count,
    sum(stops) AS stop_count,
    sum(total) AS total_count,
    sum(reject) AS reject_count,
    sum(a.ideal_total_us) AS sum_ideal_total_us,
    sum(a.ideal_good_us) AS sum_ideal_good_us,
    sum(a.without_ideal) AS without_ideal_count,
    max(any_ideal) AS ideal_listed
FROM asked AS a
GROUP BY m, state, reason, cause, excluded, loss
ORDER BY m, sum_scheduled_us DESC, sum_length_us DESC, in_state, reason, cause, excluded, loss
