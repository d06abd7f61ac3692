SELECT
    machine_id,
    fromUnixTimestamp64Micro(from_us, 'UTC') AS starts_at,
    if(to_us = 0, NULL, fromUnixTimestamp64Micro(to_us, 'UTC')) AS ends_at,
    cause,
    detail
FROM gap_intervals
