SELECT code, name, parent, treatment, loss
FROM
(
    SELECT
        argMax(r.code, r.event_id) AS codes,
        argMax(r.name, r.event_id) AS names,
        argMax(r.parent, r.event_id) AS parents,
        argMax(r.treatment, r.event_id) AS treatments,
        argMax(r.loss, r.event_id) AS losses
    FROM mtc.reasons AS r
    WHERE r.tenant_id = {tenant:String}
)
ARRAY JOIN codes AS code, names AS name, parents AS parent, treatments AS treatment, losses AS loss
