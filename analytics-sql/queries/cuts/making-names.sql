-- Names of the parts and lots in the window by their hashes.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT arrayJoin([part, lot]) AS label FROM making)
) AS names
