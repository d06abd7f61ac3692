-- What the roll-up holds of one machine at an instant.
SELECT
    toString(piece_state) AS in_state,
    piece_cause AS in_cause,
    piece_reason AS in_reason,
    piece_shift AS in_shift,
    piece_scheduled AS in_scheduled,
    piece_part AS in_part,
    piece_lot AS in_lot,
    piece_from_us AS starts_us,
    piece_to_us AS ends_us
FROM mtc.machine_days FINAL
ARRAY JOIN
    from_us AS piece_from_us,
    to_us AS piece_to_us,
    state AS piece_state,
    cause AS piece_cause,
    reason AS piece_reason,
    shift AS piece_shift,
    scheduled AS piece_scheduled,
    part AS piece_part,
    lot AS piece_lot
WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    AND day = toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
    AND piece_from_us <= {from_us:Int64} AND piece_to_us > {from_us:Int64}
