-- Without its index: the thread that writes knows where each record lies.
CREATE TABLE remembered_3 (
    seq INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    hash INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    answer BLOB NOT NULL
) STRICT;
INSERT INTO remembered_3 (seq, scope, id, hash, answered, answer)
    SELECT seq, scope, id, hash, answered, answer FROM remembered;
DROP TABLE remembered;
ALTER TABLE remembered_3 RENAME TO remembered;
