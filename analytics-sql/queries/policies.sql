-- The policy in force of every machine asked for, the default where none was set; and is any ideal cycle time listed.
SELECT
    machine_id,
    unknown,
    reasons,
    minor_stop_s,
    minor_stop_us,
    target_oee,
    machine_id IN (
        SELECT machine_id
        FROM mtc.cycle_times
        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        GROUP BY machine_id
        HAVING notEmpty(argMax(part, event_id))) AS ideal_listed
FROM policy_in_force
ORDER BY mtc_place(machine_id, {machines:Array(String)})
