-- Occurrences of shifts of a machine; time outside of shifts is none.
keyed AS
(
    SELECT *, toInt64(shift_day) AS k, concat(all_machines[m], '\n', shift) AS k2
    FROM judged
    WHERE shift_day NOT IN (0, 65535)
)
