-- One asset as it was last described.
SELECT asset_id, asset_type AS type, ts_us, removed, omitted_bytes, document
FROM mtc.assets
WHERE tenant_id = {tenant:String} AND machine_id = {machine:String} AND asset_id = {asset:String}
ORDER BY ts_us DESC, event_id DESC
LIMIT 1
