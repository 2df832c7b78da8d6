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
