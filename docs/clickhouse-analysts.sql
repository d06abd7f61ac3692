-- Users of a ClickHouse server who ask by themselves, beside /sql/: once for the server, then once for each tenant.
-- Replace plant-1 by the tenant, and the database by what `SELECT name FROM system.databases` shows of the tenant
-- (tenant_ and a hash; it is there once the tenant has asked its first question of /sql/).
-- MTC's own user needs no policy: in a server's config users_without_row_policies_can_read_rows stays true.

-- Once: what any analyst may take.
CREATE ROLE IF NOT EXISTS mtc_analyst;

CREATE SETTINGS PROFILE IF NOT EXISTS mtc_analyst SETTINGS
    readonly = 1,
    max_threads = 1,
    max_execution_time = 30,
    max_memory_usage = 1073741824,
    max_result_rows = 1000000,
    max_result_bytes = 268435456,
    result_overflow_mode = 'throw',
    session_timezone = 'UTC'
TO mtc_analyst;

CREATE QUOTA IF NOT EXISTS mtc_analyst KEYED BY user_name
    FOR INTERVAL 1 minute MAX queries = 120, execution_time = 60,
    FOR INTERVAL 1 hour MAX queries = 2000, read_rows = 20000000000
TO mtc_analyst;

-- For each tenant: its rows of every table that has any, and its views. A view reads with the rights of who asks.
CREATE ROLE IF NOT EXISTS `mtc_analyst_plant-1`;

GRANT SELECT ON tenant_0123456789abcdef01234567.* TO `mtc_analyst_plant-1`;

GRANT SELECT ON mtc.assets TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.calendars TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.cycle_times TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.downtime TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.gaps TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.lots TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.machine_day_sums TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.machine_day_totals TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.machine_days TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.machine_hour_sums TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.machines TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.observations TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.policies TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.reasons TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.rejects TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.rolls_v2 TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.signal_days TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.signal_points TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.spike_decisions TO `mtc_analyst_plant-1`;
GRANT SELECT ON mtc.touched TO `mtc_analyst_plant-1`;

CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.assets USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.calendars USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.cycle_times USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.downtime USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.gaps USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.lots USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.machine_day_sums USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.machine_day_totals USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.machine_days USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.machine_hour_sums USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.machines USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.observations USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.policies USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.reasons USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.rejects USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.rolls_v2 USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.signal_days USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.signal_points USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.spike_decisions USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;
CREATE ROW POLICY IF NOT EXISTS `plant-1` ON mtc.touched USING tenant_id = 'plant-1' TO `mtc_analyst_plant-1`;

-- Each person of the tenant.
CREATE USER IF NOT EXISTS anna IDENTIFIED WITH sha256_password BY 'change me'
    DEFAULT ROLE mtc_analyst, `mtc_analyst_plant-1`;
GRANT mtc_analyst, `mtc_analyst_plant-1` TO anna;
