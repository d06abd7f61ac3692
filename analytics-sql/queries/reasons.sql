-- Operators' reasons by their hashes.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(reason))), groupArray(reason)), 'Map(Int64, String)')
    FROM
    (
        SELECT DISTINCT reason
        FROM mtc.downtime
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    )
) AS reasons
