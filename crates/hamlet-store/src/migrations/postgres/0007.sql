-- Which attributes of their owner a target may see: a user, a contact list of the owner, or ''
-- for everybody else. NULL is no attribute list, 0 one that allows nothing.
CREATE TABLE attribute_list (
    owner TEXT COLLATE "C" NOT NULL,
    target TEXT COLLATE "C" NOT NULL,
    attributes BIGINT,
    notify BIGINT NOT NULL,
    PRIMARY KEY (owner, target)
);
CREATE INDEX attribute_list_by_target ON attribute_list (target);

-- What a publisher has been asked about a watcher, and what he has answered.
CREATE TABLE reactive_authorization (
    publisher TEXT COLLATE "C" NOT NULL,
    watcher TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    requested BIGINT NOT NULL,
    since BIGINT NOT NULL,
    -- When he was last told that more is asked for than may be seen, and what.
    told BIGINT NOT NULL,
    missing BIGINT NOT NULL,
    push TEXT COLLATE "C",
    PRIMARY KEY (publisher, watcher)
);
CREATE INDEX reactive_authorization_by_watcher ON reactive_authorization (watcher);
CREATE INDEX reactive_authorization_by_time ON reactive_authorization (since);

-- Who has looked at a publisher's presence: 0 by GetPresence, 1 by a subscription that ended.
CREATE TABLE watcher_log (
    publisher TEXT COLLATE "C" NOT NULL,
    watcher TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (publisher, watcher, kind)
);
CREATE INDEX watcher_log_by_watcher ON watcher_log (watcher);
CREATE INDEX watcher_log_by_time ON watcher_log (last);

-- In whatever way a subscription ends.
CREATE FUNCTION watcher_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO watcher_log (publisher, watcher, kind, last)
    VALUES (old.publisher, old.user_id, 1,
            CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT))
    ON CONFLICT (publisher, watcher, kind) DO UPDATE SET last = excluded.last;
    RETURN NULL;
END $$;
CREATE TRIGGER watcher_left AFTER DELETE ON subscription
    FOR EACH ROW WHEN (old.user_id <> old.publisher) EXECUTE FUNCTION watcher_left();

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
CREATE INDEX access_entry_by_name ON access_entry (kind, name);

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

-- Groups. `data` holds the properties; name_text, topic_text and id_text are what is searched,
-- in the form of ops/profile/fold.rs, '' while the group does not want to be found.
CREATE TABLE chat_group (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    -- NULL: a public group.
    owner TEXT COLLATE "C",
    created BIGINT NOT NULL,
    -- When its validity ends; NULL: never.
    expires BIGINT,
    data TEXT COLLATE "C" NOT NULL,
    id_text TEXT COLLATE "C" NOT NULL DEFAULT '',
    name_text TEXT COLLATE "C" NOT NULL DEFAULT '',
    topic_text TEXT COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX chat_group_by_owner ON chat_group (owner) WHERE owner IS NOT NULL;
CREATE INDEX chat_group_by_expiry ON chat_group (expires) WHERE expires IS NOT NULL;
CREATE INDEX chat_group_text ON chat_group USING gin (
    id_text gin_trgm_ops, name_text gin_trgm_ops, topic_text gin_trgm_ops
);

-- What a user is to a group while he is a member, joined, or joins automatically: his role
-- and his own properties.
CREATE TABLE group_member (
    group_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    is_member BIGINT NOT NULL,
    -- 0 user, 1 moderator, 2 administrator.
    role BIGINT NOT NULL,
    private_messaging BIGINT NOT NULL,
    auto_join BIGINT NOT NULL,
    show_id BIGINT NOT NULL,
    -- The screen name that he prefers, '' for none, and how names are compared.
    screen_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    name_key TEXT COLLATE "C" NOT NULL DEFAULT '',
    since BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (group_id) REFERENCES chat_group (id) ON DELETE CASCADE
);
CREATE INDEX group_member_by_user ON group_member (user_id);
CREATE INDEX group_member_auto_join ON group_member (user_id, group_id) WHERE auto_join = 1;
CREATE INDEX group_member_reserved ON group_member (group_id, name_key) WHERE auto_join = 1;

-- Who is in a group now: one row for each client. session is '' for a user of another domain,
-- whose clients are known there alone. In the domain of such a user the row of his client is a
-- copy: the group is elsewhere, and all his clients share a screen name.
CREATE TABLE group_joined (
    group_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    copy BIGINT NOT NULL,
    screen_name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL,
    subscribed BIGINT NOT NULL,
    joined BIGINT NOT NULL,
    -- The place in the group's log up to which this client has everything.
    cursor BIGINT NOT NULL,
    -- What it has beyond that: places, with commas between them.
    beyond TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- How messages of this group reach this session, where that is agreed; JSON.
    delivery TEXT COLLATE "C",
    PRIMARY KEY (group_id, user_id, client)
);
CREATE UNIQUE INDEX group_joined_by_name ON group_joined (group_id, name_key) WHERE copy = 0;
CREATE INDEX group_joined_foreign ON group_joined (group_id) WHERE session = '';
CREATE INDEX group_joined_by_session ON group_joined (session) WHERE session <> '';
CREATE INDEX group_joined_by_user ON group_joined (user_id);

-- Who may not join.
CREATE TABLE group_reject (
    group_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    rejected_by TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (group_id) REFERENCES chat_group (id) ON DELETE CASCADE
);
CREATE INDEX group_reject_by_user ON group_reject (user_id);

-- Invitations that let their invitee join once.
CREATE TABLE group_permission (
    group_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    inviter TEXT COLLATE "C" NOT NULL,
    invitation TEXT COLLATE "C" NOT NULL,
    -- Also a restricted group: the inviter had the rights for that.
    restricted BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (group_id, user_id, inviter, invitation),
    FOREIGN KEY (group_id) REFERENCES chat_group (id) ON DELETE CASCADE
);
CREATE INDEX group_permission_by_expiry ON group_permission (expires);
CREATE INDEX group_permission_by_user ON group_permission (user_id);
CREATE INDEX group_permission_by_inviter ON group_permission (inviter, invitation);

-- Content that is shared with a group: who joins later is invited to it, too.
CREATE TABLE group_share (
    group_id TEXT COLLATE "C" NOT NULL,
    inviter TEXT COLLATE "C" NOT NULL,
    invitation TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (group_id, inviter, invitation)
);
CREATE INDEX group_share_by_inviter ON group_share (inviter, invitation);
CREATE INDEX group_share_by_expiry ON group_share (expires);

-- Conversations that have become groups (ExtendConversation).
CREATE TABLE group_conversation (
    user_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, id)
);
CREATE INDEX group_conversation_by_group ON group_conversation (group_id);

-- The next place in the log of a group; its row orders those who write into it.
CREATE TABLE group_log_head (
    group_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);

-- What is said in a group, each message once, in one order.
CREATE TABLE group_log (
    group_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    -- Who said it and with which client: it does not come back to that one.
    sender TEXT COLLATE "C" NOT NULL,
    sender_client TEXT COLLATE "C" NOT NULL,
    -- For whom alone, by the key of his screen name; '' for all.
    target TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- Part of the history that can be read.
    history BIGINT NOT NULL,
    sent BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (group_id, seq)
);
CREATE INDEX group_log_by_message ON group_log (message);
CREATE INDEX group_log_by_expiry ON group_log (expires);

-- What users keep to share it; the octets in parts.
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
