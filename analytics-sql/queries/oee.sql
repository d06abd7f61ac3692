-- Figures from sums: ratios last, rounding never (invariant 5).
SELECT
    key,
    is_total,
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
        multiIf(no_ideal, '', run_us = 0, '', ideal_total_us > run_us, 'performance_over_1', ''),
        if(no_ideal, 'no_ideal_cycle', ''),
        if(resets > 0, 'counter_reset', ''),
        if(spikes > 0, 'spike_quarantined', ''),
        if(reject_count > total_count, 'rejects_exceed_total', '')]) AS flags
FROM labelled
ORDER BY starts_us, key
