-- One row for each part, '' where none is known.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT part AS label FROM making)
) AS names,
keyed AS (SELECT *, 0 AS k, part_id AS k2 FROM timeline),
labelled AS (SELECT *, names[k2] AS key FROM sums)
