-- Block and grant lists, with their flags. Who is not here has empty ones that are not in use.
CREATE TABLE access_control (
    user_id TEXT NOT NULL PRIMARY KEY,
    block_in_use INTEGER NOT NULL,
    grant_in_use INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the lists name; scope is the group of a screen name, else ''.
CREATE TABLE access_entry (
    seq INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES access_control (user_id) ON DELETE CASCADE,
    side INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    UNIQUE (user_id, side, kind, name, scope)
) STRICT;
