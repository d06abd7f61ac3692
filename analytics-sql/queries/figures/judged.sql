-- The policies in force, as tuples by machine: is UNKNOWN taken out of planned time, and is an ideal cycle listed at all.
(
    SELECT (groupArray(unknown = 'excluded'), groupArray(listed))
    FROM
    (
        SELECT
            unknown,
            machine_id IN (
                SELECT machine_id
                FROM mtc.cycle_times
                WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                GROUP BY machine_id
                HAVING notEmpty(argMax(part, event_id))) AS listed
        FROM policy_in_force
        ORDER BY mtc_place(machine_id, {machines:Array(String)})
    )
) AS by_machine,

-- Cells with what the policy makes of them: is their time excluded, and which loss is it.
judged AS
(
    SELECT
        *,
        multiIf(
            state = 'RUNNING', false,
            by_machine.1[m] AND state = 'UNKNOWN', true,
            reason = '', false,
            (m, reason) IN (
                SELECT mtc_place(machine_id, {machines:Array(String)}), code
                FROM policy_in_force
                ARRAY JOIN mapKeys(reasons) AS code, mapValues(reasons) AS treatment
                WHERE treatment = 'excluded')) AS excluded,
        multiIf(
            excluded, '',
            state = 'RUNNING', '',
            state = 'UNKNOWN', 'unknown',
            minor, 'minor',
            state = 'SETUP', 'setup',
            state = 'DOWN', 'breakdown',
            'other') AS loss,
        by_machine.2[m] AS any_ideal
    FROM cells
)
