-- The tenant's tree of reason codes: how each code is treated, and which loss it is, "" where that follows from the state.
SELECT
    argMax(code, event_id) AS code,
    argMax(treatment, event_id) AS treatment,
    argMax(loss, event_id) AS loss
FROM mtc.reasons
WHERE tenant_id = {tenant:String}
