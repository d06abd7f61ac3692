-- Nobody asks for parts: neither what was counted nor what was made. Planning without them takes half the time.
count_steps AS
(
    SELECT toUInt32(0) AS m, toInt64(0) AS t, toInt64(0) AS total, toInt64(0) AS reject, false AS spike, false AS reset
    WHERE false
),
rates AS
(
    SELECT '' AS machine_id, [toInt64(0)] AS rates
    WHERE false
),
making AS
(
    SELECT '' AS machine_id, toInt64(0) AS at_us, 0 AS seq, '' AS value, toInt64(0) AS t, '' AS part, '' AS lot, toInt64(0) AS ideal_us
    WHERE false
)
