-- Tools, files, fixtures as the agents described them. Every version stays, keyed by its event; the newest by time,
-- then by event, is chosen when read, so a replay in any order ends in the same place. The document is the agent's.
CREATE TABLE IF NOT EXISTS mtc.assets
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    asset_id String,
    ts_us Int64,
    event_id String,
    asset_type LowCardinality(String),
    removed Bool,
    document String CODEC(ZSTD),
    omitted_bytes Int64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, asset_id, ts_us, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.assets_v2_mv TO mtc.assets AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    data.asset.asset_id AS asset_id,
    data.asset.ts_us AS ts_us,
    id AS event_id,
    data.asset.type AS asset_type,
    data.asset.removed AS removed,
    data.asset.document AS document,
    data.asset.omitted_bytes AS omitted_bytes
FROM mtc.entries_in
WHERE type = 'mtc.asset.v1';
