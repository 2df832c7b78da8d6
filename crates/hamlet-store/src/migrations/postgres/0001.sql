CREATE TABLE account (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    credential BYTEA,
    status BIGINT NOT NULL,
    created BIGINT NOT NULL
);

CREATE TABLE session (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    application TEXT COLLATE "C",
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    data BYTEA NOT NULL
);
CREATE INDEX session_by_user ON session (user_id);

CREATE TABLE ended_session (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    code BIGINT NOT NULL,
    ended BIGINT NOT NULL
);
CREATE INDEX ended_session_by_time ON ended_session (ended);

CREATE TABLE challenge (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    nonce TEXT COLLATE "C" NOT NULL,
    data BYTEA NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX challenge_by_expiry ON challenge (expires);

CREATE TABLE counter (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL
);

CREATE TABLE remembered (
    scope TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    hash BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    answer BYTEA NOT NULL,
    PRIMARY KEY (scope, id)
);
CREATE INDEX remembered_by_time ON remembered (answered);

-- seq is the order of a recipient's entries.
CREATE TABLE mailbox (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    size BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    UNIQUE (recipient, id)
);
CREATE INDEX mailbox_in_order ON mailbox (recipient, seq);
CREATE INDEX mailbox_by_expiry ON mailbox (expires);

-- What each mailbox holds, so that a full one costs no more than an empty one.
CREATE TABLE mailbox_usage (
    recipient TEXT COLLATE "C" NOT NULL,
    kind BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    octets BIGINT NOT NULL,
    PRIMARY KEY (recipient, kind)
);
CREATE FUNCTION mailbox_entered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO mailbox_usage AS usage (recipient, kind, entries, octets)
    VALUES (new.recipient, new.kind, 1, new.size)
    ON CONFLICT (recipient, kind) DO UPDATE
    SET entries = usage.entries + 1, octets = usage.octets + excluded.octets;
    RETURN NULL;
END $$;
CREATE FUNCTION mailbox_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE mailbox_usage SET entries = entries - 1, octets = octets - old.size
    WHERE recipient = old.recipient AND kind = old.kind;
    RETURN NULL;
END $$;
CREATE TRIGGER mailbox_entered AFTER INSERT ON mailbox
    FOR EACH ROW EXECUTE FUNCTION mailbox_entered();
CREATE TRIGGER mailbox_left AFTER DELETE ON mailbox
    FOR EACH ROW EXECUTE FUNCTION mailbox_left();

CREATE TABLE contact_list (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    owner TEXT COLLATE "C" NOT NULL,
    display_name TEXT COLLATE "C",
    do_not_notify BIGINT NOT NULL,
    is_default BIGINT NOT NULL
);
CREATE INDEX contact_list_by_owner ON contact_list (owner);
CREATE UNIQUE INDEX contact_list_default ON contact_list (owner) WHERE is_default = 1;

CREATE TABLE contact (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    list TEXT COLLATE "C" NOT NULL REFERENCES contact_list (id) ON DELETE CASCADE,
    user_id TEXT COLLATE "C" NOT NULL,
    nickname TEXT COLLATE "C",
    UNIQUE (list, user_id)
);
CREATE INDEX contact_by_user ON contact (user_id, list);

CREATE TABLE presence (
    user_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    attribute TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, name, client)
);

-- session is '' for a subscriber of another domain, list is '' for a direct subscription.
CREATE TABLE subscription (
    session TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    publisher TEXT COLLATE "C" NOT NULL,
    list TEXT COLLATE "C" NOT NULL,
    attributes BIGINT NOT NULL,
    PRIMARY KEY (session, user_id, publisher, list)
);
CREATE INDEX subscription_by_publisher ON subscription (publisher);
CREATE INDEX subscription_by_user ON subscription (user_id);

CREATE TABLE auto_subscription (
    list TEXT COLLATE "C" NOT NULL REFERENCES contact_list (id) ON DELETE CASCADE,
    session TEXT COLLATE "C" NOT NULL,
    attributes BIGINT NOT NULL,
    PRIMARY KEY (list, session)
);
CREATE INDEX auto_subscription_by_session ON auto_subscription (session);

CREATE TABLE outbox (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    destination TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt BIGINT NOT NULL,
    payload BYTEA NOT NULL
);
CREATE INDEX outbox_due ON outbox (next_attempt, id);
CREATE INDEX outbox_by_destination ON outbox (destination, id);
CREATE INDEX outbox_by_expiry ON outbox (expires);
