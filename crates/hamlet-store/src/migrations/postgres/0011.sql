-- 0011

-- content
-- What users keep to be fetched by others (architecture document 5.3.5).
CREATE TABLE content (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    -- What the server keeps for its owner bears a name of the server's; what he keeps himself
    -- has none.
    purpose TEXT COLLATE "C",
    media_type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX content_of_owner ON content (owner, created);
CREATE UNIQUE INDEX content_by_purpose ON content (owner, purpose);
CREATE INDEX content_by_expiry ON content (expires);

-- Its octets, in parts of one size, so that a part of it can be fetched.
CREATE TABLE content_part (
    content TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    octets BYTEA NOT NULL,
    FOREIGN KEY (content) REFERENCES content (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX content_parts ON content_part (content, number);

-- How much each owner keeps; under the empty name, all together.
CREATE TABLE content_usage (
    owner TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    octets BIGINT NOT NULL,
    items BIGINT NOT NULL
);

-- By which invitations of its owner content is shared.
CREATE TABLE content_share (
    content TEXT COLLATE "C" NOT NULL,
    invitation TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (content, invitation),
    FOREIGN KEY (content) REFERENCES content (id) ON DELETE CASCADE
);

-- Invitations by which content, here or elsewhere, is shared into a group: for those who join
-- later.
CREATE TABLE group_content (
    group_id TEXT COLLATE "C" NOT NULL,
    inviter TEXT COLLATE "C" NOT NULL,
    invitation TEXT COLLATE "C" NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (group_id, inviter, invitation)
);
CREATE INDEX group_content_by_inviter ON group_content (inviter, invitation);
CREATE INDEX group_content_by_expiry ON group_content (expires);
