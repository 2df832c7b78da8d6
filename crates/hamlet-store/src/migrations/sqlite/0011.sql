-- 0011

-- content
-- What users keep to be fetched by others (architecture document 5.3.5).
CREATE TABLE content (
    id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    -- What the server keeps for its owner bears a name of the server's; what he keeps himself
    -- has none.
    purpose TEXT,
    media_type TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX content_of_owner ON content (owner, created);
CREATE UNIQUE INDEX content_by_purpose ON content (owner, purpose);
CREATE INDEX content_by_expiry ON content (expires);

-- Its octets, in parts of one size, so that a part of it can be fetched.
CREATE TABLE content_part (
    content TEXT NOT NULL,
    number INTEGER NOT NULL,
    octets BLOB NOT NULL,
    FOREIGN KEY (content) REFERENCES content (id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX content_parts ON content_part (content, number);

-- How much each owner keeps; under the empty name, all together.
CREATE TABLE content_usage (
    owner TEXT NOT NULL PRIMARY KEY,
    octets INTEGER NOT NULL,
    items INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By which invitations of its owner content is shared.
CREATE TABLE content_share (
    content TEXT NOT NULL,
    invitation TEXT NOT NULL,
    PRIMARY KEY (content, invitation),
    FOREIGN KEY (content) REFERENCES content (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Invitations by which content, here or elsewhere, is shared into a group: for those who join
-- later.
CREATE TABLE group_content (
    group_id TEXT NOT NULL,
    inviter TEXT NOT NULL,
    invitation TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (group_id, inviter, invitation)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_content_by_inviter ON group_content (inviter, invitation);
CREATE INDEX group_content_by_expiry ON group_content (expires);
