-- The same by machine, state, reason, cause and what the policy makes of it: so the sums of the row are the total of theirs.
keyed AS (SELECT *, toInt64(m) AS k, (toString(state), reason, cause, excluded, loss) AS k2 FROM asked)
