-- The newest of each asset after the cursor, without its document; where only a removal is known the type before it.
SELECT
    asset_id,
    argMaxIf(asset_type, (assets.ts_us, event_id), asset_type != '') AS type,
    max(assets.ts_us) AS ts_us,
    argMax(removed, (assets.ts_us, event_id)) AS removed,
    argMax(omitted_bytes, (assets.ts_us, event_id)) AS omitted_bytes
FROM mtc.assets
WHERE tenant_id = {tenant:String} AND machine_id = {machine:String} AND asset_id > {after:String}
GROUP BY asset_id
ORDER BY asset_id
LIMIT {limit:UInt32}
