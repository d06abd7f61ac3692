-- Days of a machine.
keyed AS
(
    SELECT *, toInt64(if(shift_day IN (0, 65535), local_day, shift_day - 1)) AS k, all_machines[m] AS k2
    FROM judged
)
