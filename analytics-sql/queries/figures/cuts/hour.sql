-- Hours of the plant's clock, named by the instant they start.
keyed AS (SELECT *, hour_us AS k, '' AS k2 FROM judged),
labelled AS (SELECT *, formatDateTime(fromUnixTimestamp64Micro(k, 'UTC'), '%Y-%m-%dT%H:%i:%SZ') AS key FROM sums)
