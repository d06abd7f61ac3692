SELECT
    machine_id,
    state,
    fromUnixTimestamp64Micro(starts_us, 'UTC') AS starts_at,
    fromUnixTimestamp64Micro(ends_us, 'UTC') AS ends_at,
    seconds,
    reason,
    cause
FROM (
{states:Text}
)
