-- What the policies of all of a tenant's machines make of time: as lists, in the order of their names.
(
    SELECT (argMax(code, event_id), argMax(treatment, event_id), argMax(loss, event_id))
    FROM mtc.reasons
    WHERE tenant_id = {tenant:String}
) AS tree,
arrayFilter((code, loss) -> loss != '', tree.1, tree.3) AS loss_codes,
arrayFilter(loss -> loss != '', tree.3) AS loss_kinds,
(
    SELECT groupArray((unknown = 'excluded', mapFilter(
        (code, treatment) -> treatment = 'excluded',
        mapUpdate(CAST((tree.1, tree.2), 'Map(String, String)'), reasons))))
    FROM (SELECT unknown, reasons FROM policy_in_force ORDER BY machine_id)
) AS by_policy,
arrayMap(one -> toUInt8(one.1), by_policy) AS unknown_excluded,
arrayFlatten(arrayMap((one, place) -> arrayMap(code -> toUInt32(place), mapKeys(one.2)), by_policy, arrayEnumerate(by_policy)))
    AS excluded_of,
arrayFlatten(arrayMap(one -> mapKeys(one.2), by_policy)) AS excluded_reasons,
(
    SELECT groupArray(machine_id)
    FROM
    (
        SELECT toString(machine_id) AS machine_id
        FROM mtc.cycle_times
        WHERE tenant_id = {tenant:String}
        GROUP BY machine_id
        HAVING notEmpty(argMax(part, event_id))
    )
) AS with_ideal,
arrayMap(machine_id -> toUInt8(has(with_ideal, machine_id)), all_machines) AS ideal_listed
