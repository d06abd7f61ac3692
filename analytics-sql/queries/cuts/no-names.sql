-- The cut needs no names.
CAST(map(), 'Map(Int64, String)') AS names
