-- Block and grant lists, with their flags. Who is not here has empty ones that are not in use.
CREATE TABLE access_control (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    block_in_use BIGINT NOT NULL,
    grant_in_use BIGINT NOT NULL
);

-- What the lists name; scope is the group of a screen name, else ''.
CREATE TABLE access_entry (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES access_control (user_id) ON DELETE CASCADE,
    side BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    UNIQUE (user_id, side, kind, name, scope)
);

-- How messages are spread over a user's sessions, where he does not leave it to the server.
CREATE TABLE online_handling (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    handling BIGINT NOT NULL
);

-- What to do with messages for a user who is not online, as each of his clients negotiated it
-- last.
CREATE TABLE offline_handling (
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    handling BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (user_id, client)
);

-- Messages that one client of their recipient has, and others still get.
CREATE TABLE mailbox_copy (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    UNIQUE (recipient, id, client)
);
CREATE INDEX mailbox_copy_by_expiry ON mailbox_copy (expires);
