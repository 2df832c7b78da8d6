-- Which attributes of their owner a target may see: a user, a contact list of the owner, or ''
-- for everybody else. NULL is no attribute list, 0 one that allows nothing.
CREATE TABLE attribute_list (
    owner TEXT NOT NULL,
    target TEXT NOT NULL,
    attributes INTEGER,
    notify INTEGER NOT NULL,
    PRIMARY KEY (owner, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX attribute_list_by_target ON attribute_list (target);

-- What a publisher has been asked about a watcher, and what he has answered.
CREATE TABLE reactive_authorization (
    publisher TEXT NOT NULL,
    watcher TEXT NOT NULL,
    state INTEGER NOT NULL,
    requested INTEGER NOT NULL,
    since INTEGER NOT NULL,
    -- When he was last told that more is asked for than may be seen, and what.
    told INTEGER NOT NULL,
    missing INTEGER NOT NULL,
    push TEXT,
    PRIMARY KEY (publisher, watcher)
) STRICT, WITHOUT ROWID;
CREATE INDEX reactive_authorization_by_watcher ON reactive_authorization (watcher);
CREATE INDEX reactive_authorization_by_time ON reactive_authorization (since);

-- Who has looked at a publisher's presence: 0 by GetPresence, 1 by a subscription that ended.
CREATE TABLE watcher_log (
    publisher TEXT NOT NULL,
    watcher TEXT NOT NULL,
    kind INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (publisher, watcher, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX watcher_log_by_watcher ON watcher_log (watcher);
CREATE INDEX watcher_log_by_time ON watcher_log (last);

-- In whatever way a subscription ends.
CREATE TRIGGER watcher_left AFTER DELETE ON subscription WHEN old.user_id <> old.publisher BEGIN
    INSERT INTO watcher_log (publisher, watcher, kind, last)
    VALUES (old.publisher, old.user_id, 1,
            CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER))
    ON CONFLICT (publisher, watcher, kind) DO UPDATE SET last = excluded.last;
END;
