-- Nothing: several connections write here, and the index keeps them apart.
SELECT 1;
