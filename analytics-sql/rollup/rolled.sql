-- Notes that machines are rolled up.
INSERT INTO mtc.rolls_v2 (tenant_id, machine_id, version, since_us, from_us, to_us)
SELECT
    {tenant:String},
    machine_id,
    {version:UInt64},
    {since_us:Array(Int64)}[place],
    {rolled_from_us:Array(Int64)}[place],
    {rolled_to_us:Array(Int64)}[place]
FROM (SELECT {machines:Array(String)} AS machines)
ARRAY JOIN machines AS machine_id, arrayEnumerate(machines) AS place
