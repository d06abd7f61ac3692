-- All of a tenant's machines that were ever rolled up, in the order of their names.
(
    SELECT groupArray(machine_id)
    FROM (SELECT DISTINCT toString(machine_id) AS machine_id FROM mtc.rolls_v2 WHERE tenant_id = {tenant:String} ORDER BY machine_id)
) AS all_machines
