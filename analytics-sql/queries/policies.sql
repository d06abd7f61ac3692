-- The policy in force of every machine asked for, the default where none was set.
SELECT machine_id, unknown, reasons, minor_stop_s FROM policy_in_force ORDER BY machine_id
