CREATE TABLE account (
    user_id TEXT NOT NULL PRIMARY KEY,
    credential BLOB,
    status INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    client TEXT NOT NULL,
    application TEXT,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE ended_session (
    id TEXT NOT NULL PRIMARY KEY,
    code INTEGER NOT NULL,
    ended INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX ended_session_by_time ON ended_session (ended);

CREATE TABLE challenge (
    key TEXT NOT NULL PRIMARY KEY,
    nonce TEXT NOT NULL,
    data BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_by_expiry ON challenge (expires);

CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    next INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE remembered (
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    hash INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    answer BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_by_time ON remembered (answered);

-- The row number is the order of a recipient's entries: never below that of an entry that
-- still waits.
CREATE TABLE mailbox (
    seq INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    id TEXT NOT NULL,
    kind INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (recipient, id)
) STRICT;
CREATE INDEX mailbox_in_order ON mailbox (recipient, seq);
CREATE INDEX mailbox_by_expiry ON mailbox (expires);

-- What each mailbox holds, so that a full one costs no more than an empty one.
CREATE TABLE mailbox_usage (
    recipient TEXT NOT NULL,
    kind INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    PRIMARY KEY (recipient, kind)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER mailbox_entered AFTER INSERT ON mailbox BEGIN
    INSERT INTO mailbox_usage (recipient, kind, entries, octets)
    VALUES (new.recipient, new.kind, 1, new.size)
    ON CONFLICT (recipient, kind)
    DO UPDATE SET entries = entries + 1, octets = octets + excluded.octets;
END;
CREATE TRIGGER mailbox_left AFTER DELETE ON mailbox BEGIN
    UPDATE mailbox_usage SET entries = entries - 1, octets = octets - old.size
    WHERE recipient = old.recipient AND kind = old.kind;
END;

CREATE TABLE contact_list (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    display_name TEXT,
    do_not_notify INTEGER NOT NULL,
    is_default INTEGER NOT NULL
) STRICT;
CREATE INDEX contact_list_by_owner ON contact_list (owner);
CREATE UNIQUE INDEX contact_list_default ON contact_list (owner) WHERE is_default = 1;

CREATE TABLE contact (
    seq INTEGER PRIMARY KEY,
    list TEXT NOT NULL REFERENCES contact_list (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    nickname TEXT,
    UNIQUE (list, user_id)
) STRICT;
CREATE INDEX contact_by_user ON contact (user_id, list);

CREATE TABLE presence (
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    client TEXT NOT NULL,
    attribute TEXT NOT NULL,
    PRIMARY KEY (user_id, name, client)
) STRICT;

-- session is '' for a subscriber of another domain, list is '' for a direct subscription.
CREATE TABLE subscription (
    session TEXT NOT NULL,
    user_id TEXT NOT NULL,
    publisher TEXT NOT NULL,
    list TEXT NOT NULL,
    attributes INTEGER NOT NULL,
    PRIMARY KEY (session, user_id, publisher, list)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscription_by_publisher ON subscription (publisher);
CREATE INDEX subscription_by_user ON subscription (user_id);

CREATE TABLE auto_subscription (
    list TEXT NOT NULL REFERENCES contact_list (id) ON DELETE CASCADE,
    session TEXT NOT NULL,
    attributes INTEGER NOT NULL,
    PRIMARY KEY (list, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX auto_subscription_by_session ON auto_subscription (session);

-- AUTOINCREMENT: an identifier that has left the domain is never given again.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    expires INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX outbox_due ON outbox (next_attempt, id);
CREATE INDEX outbox_by_destination ON outbox (destination, id);
CREATE INDEX outbox_by_expiry ON outbox (expires);
