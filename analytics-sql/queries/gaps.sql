-- Time known to be missing that touches the window; a gap still open has no end.
SELECT machine_id, from_us AS starts_us, to_us AS ends_us, cause, detail
FROM gap_intervals
ORDER BY machine_id, starts_us, cause
