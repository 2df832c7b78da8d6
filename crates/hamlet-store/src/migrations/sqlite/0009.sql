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

-- How messages are spread over a user's sessions, where he does not leave it to the server.
CREATE TABLE online_handling (
    user_id TEXT NOT NULL PRIMARY KEY,
    handling INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What to do with messages for a user who is not online, as each of his clients negotiated it
-- last.
CREATE TABLE offline_handling (
    user_id TEXT NOT NULL,
    client TEXT NOT NULL,
    handling INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (user_id, client)
) STRICT, WITHOUT ROWID;

-- Messages that one client of their recipient has, and others still get.
CREATE TABLE mailbox_copy (
    seq INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    id TEXT NOT NULL,
    client TEXT NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (recipient, id, client)
) STRICT;
CREATE INDEX mailbox_copy_by_expiry ON mailbox_copy (expires);
