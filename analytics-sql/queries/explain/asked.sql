-- The cells behind one row of a cut.
asked AS (SELECT * FROM keyed WHERE k = {k:Int64} AND k2 = {k2:String})
