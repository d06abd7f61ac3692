-- A row of figures, by the very sums and columns of every other, and what it is summed from; its total is the row.
SELECT
    k,
    k2,
    is_total,
    starts_us,
    ends_us,
    calendar_us,
    scheduled_us,
    ideal_total_us,
    ideal_good_us,
    without_ideal_count,
    ideal_known,
