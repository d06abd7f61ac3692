-- Figures over the timeline, one row for each key: sums first, ratios last, rounding never (invariant 5).
-- Ideal cycle times are whole µs and counts whole parts, so that every sum is exact and no order of rows can change it.
SELECT
    key,
    machine_id,
    starts_us,
    ends_us,
    calendar_us / 1e6 AS calendar_time_s,
    scheduled_us / 1e6 AS scheduled_time_s,
    planned_us / 1e6 AS planned_time_s,
    run_us / 1e6 AS run_time_s,
    down_us / 1e6 AS down_time_s,
    setup_us / 1e6 AS setup_time_s,
    stopped_us / 1e6 AS stopped_time_s,
    idle_us / 1e6 AS idle_time_s,
    unknown_us / 1e6 AS unknown_time_s,
    total_count,
    total_count - reject_count AS good_count,
    reject_count,
    run_us / nullIf(planned_us, 0) AS availability,
    if(no_ideal, NULL, ideal_total_us / nullIf(run_us, 0)) AS performance,
    good_count / nullIf(total_count, 0) AS quality,
    if(no_ideal, NULL, ideal_good_us / nullIf(planned_us, 0)) AS oee,
    if(no_ideal, NULL, ideal_good_us / nullIf(calendar_us, 0)) AS teep,
    1 - unknown_us / nullIf(scheduled_us, 0) AS coverage,
    arrayFilter(flag -> flag != '', [
        if(ifNull(performance > 1, false), 'performance_over_1', ''),
        if(no_ideal, 'no_ideal_cycle', ''),
        if(resets > 0, 'counter_reset', ''),
        if(spikes > 0, 'spike_quarantined', ''),
        if(reject_count > total_count, 'rejects_exceed_total', '')]) AS flags
FROM
(
    SELECT
        key,
        machine_id,
        min(from_us) AS starts_us,
        max(to_us) AS ends_us,
        sum(length_us) AS calendar_us,
        sumIf(length_us, scheduled) AS scheduled_us,
        sumIf(length_us, scheduled AND NOT excluded) AS planned_us,
        sumIf(length_us, scheduled AND state = 'RUNNING') AS run_us,
        sumIf(length_us, scheduled AND state = 'DOWN') AS down_us,
        sumIf(length_us, scheduled AND state = 'SETUP') AS setup_us,
        sumIf(length_us, scheduled AND state = 'STOPPED') AS stopped_us,
        sumIf(length_us, scheduled AND state = 'IDLE') AS idle_us,
        sumIf(length_us, scheduled AND state = 'UNKNOWN') AS unknown_us,
        sum(total) AS total_count,
        sum(reject) AS reject_count,
        sum(total * ideal_us) AS ideal_total_us,
        sum((total - reject) * ideal_us) AS ideal_good_us,
        -- Something was made whose ideal is not known; or, where nothing was made, none is known at all.
        sum(ideal_us = 0 AND (total != 0 OR reject != 0)) > 0 OR max(any_ideal) = 0 AS no_ideal,
        sum(spikes) AS spikes,
        sum(resets) AS resets
    FROM
    (
        SELECT
            multiIf(
                {by:String} = 'hour', formatDateTime(toDateTime(bucket, 'UTC'), '%Y-%m-%dT%H:%i:%SZ'),
                {by:String} = 'day', toString(toDate32(if(shift_day > 0, shift_day, bucket) - 1)),
                {by:String} = 'shift' AND shift_day > 0, concat(toString(toDate32(shift_day - 1)), ' ', names[shift_id]),
                {by:String} = 'part', names[part_id],
                {by:String} = 'lot', names[lot_id],
                {by:String} = 'machine', machine_id,
                '') AS key,
            if({by:String} = 'machine', machine_id, '') AS machine_id,
            from_us,
            to_us,
            length_us,
            state,
            scheduled,
            excluded OR (state = 'UNKNOWN' AND t.machine_id IN (
                SELECT machine_id FROM policy_in_force WHERE unknown = 'excluded')) AS excluded,
            total,
            reject,
            spikes,
            resets,
            ideal_us,
            t.machine_id IN (SELECT machine_id FROM rates WHERE notEmpty(rates)) AS any_ideal
        FROM timeline AS t
    )
    GROUP BY key, machine_id
    -- Time outside of all shifts is a row only where something was counted in it.
    HAVING {by:String} != 'shift' OR key != '' OR scheduled_us > 0 OR total_count != 0 OR reject_count != 0
)
ORDER BY starts_us, key
