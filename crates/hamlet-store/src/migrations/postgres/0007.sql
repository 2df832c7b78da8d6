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
