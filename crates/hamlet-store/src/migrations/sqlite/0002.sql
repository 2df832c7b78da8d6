-- Records in the order of their answers: each is appended, and the oldest are at the front.
CREATE TABLE remembered_2 (
    seq INTEGER PRIMARY KEY,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    hash INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    answer BLOB NOT NULL,
    UNIQUE (scope, id)
) STRICT;
INSERT INTO remembered_2 (scope, id, hash, answered, answer)
    SELECT scope, id, hash, answered, answer FROM remembered ORDER BY answered;
DROP TABLE remembered;
ALTER TABLE remembered_2 RENAME TO remembered;

-- The newest number that was given to an entry of the mailbox.
ALTER TABLE mailbox_usage ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
UPDATE mailbox_usage SET last =
    coalesce((SELECT max(seq) FROM mailbox AS m WHERE m.recipient = mailbox_usage.recipient), 0);

-- A recipient's entries lie together; seq is their order.
CREATE TABLE mailbox_2 (
    recipient TEXT NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    size INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (recipient, id)
) STRICT, WITHOUT ROWID;
INSERT INTO mailbox_2 (recipient, id, seq, kind, expires, size, payload)
    SELECT recipient, id, seq, kind, expires, size, payload FROM mailbox;
DROP TABLE mailbox;
ALTER TABLE mailbox_2 RENAME TO mailbox;
CREATE INDEX mailbox_by_expiry ON mailbox (expires);
CREATE TRIGGER mailbox_entered AFTER INSERT ON mailbox BEGIN
    INSERT INTO mailbox_usage (recipient, kind, entries, octets, last)
    VALUES (new.recipient, new.kind, 1, new.size, new.seq)
    ON CONFLICT (recipient, kind)
    DO UPDATE SET entries = entries + 1, octets = octets + excluded.octets, last = excluded.last;
END;
CREATE TRIGGER mailbox_left AFTER DELETE ON mailbox BEGIN
    UPDATE mailbox_usage SET entries = entries - 1, octets = octets - old.size
    WHERE recipient = old.recipient AND kind = old.kind;
END;
