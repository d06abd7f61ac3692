-- The cells behind one row of a cut.
asked AS (SELECT * EXCEPT (k, k2) FROM cut WHERE k = {k:Int64} AND k2 = {k2:String})
