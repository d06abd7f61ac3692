-- The window is not cut by the clock.
buckets AS
(
    SELECT '' AS machine_id, toInt64(0) AS from_us, toInt64(0) AS to_us, toInt64(0) AS id WHERE false
)
