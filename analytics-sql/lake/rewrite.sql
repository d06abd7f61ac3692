-- One machine's day anew: what there is now and what its file has, each row once. Retention may have taken from the
-- table what the file still has, so a file only ever grows. Grouping and sorting go to the disk when they are large.
INSERT INTO FUNCTION file({file:String}, 'Parquet')
SELECT tenant_id, machine_id, signal, ts, seq, num, word
FROM {hot_and_cold:Text}
GROUP BY tenant_id, machine_id, signal, ts, seq, num, word
ORDER BY signal, ts, seq, num, word
