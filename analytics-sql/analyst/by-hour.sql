-- Hours of a machine.
keyed AS (SELECT *, hour_us AS k, all_machines[m] AS k2 FROM judged)
