-- One row for each account. `data` is the profile; the other columns are what is searched:
-- texts in the form of ops/profile/fold.rs, '' for what is not said.
CREATE TABLE profile (
    seq INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    findable INTEGER NOT NULL,
    data TEXT NOT NULL,
    user_name TEXT NOT NULL,
    first_name TEXT NOT NULL DEFAULT '',
    last_name TEXT NOT NULL DEFAULT '',
    friendly_name TEXT NOT NULL DEFAULT '',
    alias TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    mobile TEXT NOT NULL DEFAULT '',
    country TEXT NOT NULL DEFAULT '',
    city TEXT NOT NULL DEFAULT '',
    intention TEXT NOT NULL DEFAULT '',
    interests TEXT NOT NULL DEFAULT '',
    age INTEGER,
    gender TEXT NOT NULL DEFAULT '',
    marital_status TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX profile_by_email ON profile (email) WHERE email <> '';
CREATE INDEX profile_by_mobile ON profile (mobile) WHERE mobile <> '';
CREATE INDEX profile_by_age ON profile (age) WHERE age IS NOT NULL;
CREATE INDEX profile_by_gender ON profile (gender) WHERE gender <> '';
CREATE INDEX profile_by_marital_status ON profile (marital_status) WHERE marital_status <> '';

-- Parts of words. Which columns a trigram is in is enough: what is found is looked at.
CREATE VIRTUAL TABLE profile_text USING fts5 (
    user_name, first_name, last_name, friendly_name, alias, email, mobile, country, city,
    intention, interests,
    content = 'profile', content_rowid = 'seq', detail = column,
    tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER profile_made AFTER INSERT ON profile BEGIN
    INSERT INTO profile_text (rowid, user_name, first_name, last_name, friendly_name, alias,
        email, mobile, country, city, intention, interests)
    VALUES (new.seq, new.user_name, new.first_name, new.last_name, new.friendly_name,
        new.alias, new.email, new.mobile, new.country, new.city, new.intention, new.interests);
END;
CREATE TRIGGER profile_changed AFTER UPDATE OF user_name, first_name, last_name, friendly_name,
    alias, email, mobile, country, city, intention, interests ON profile
BEGIN
    INSERT INTO profile_text (profile_text, rowid, user_name, first_name, last_name,
        friendly_name, alias, email, mobile, country, city, intention, interests)
    VALUES ('delete', old.seq, old.user_name, old.first_name, old.last_name,
        old.friendly_name, old.alias, old.email, old.mobile, old.country, old.city,
        old.intention, old.interests);
    INSERT INTO profile_text (rowid, user_name, first_name, last_name, friendly_name, alias,
        email, mobile, country, city, intention, interests)
    VALUES (new.seq, new.user_name, new.first_name, new.last_name, new.friendly_name,
        new.alias, new.email, new.mobile, new.country, new.city, new.intention, new.interests);
END;
CREATE TRIGGER profile_gone AFTER DELETE ON profile BEGIN
    INSERT INTO profile_text (profile_text, rowid, user_name, first_name, last_name,
        friendly_name, alias, email, mobile, country, city, intention, interests)
    VALUES ('delete', old.seq, old.user_name, old.first_name, old.last_name,
        old.friendly_name, old.alias, old.email, old.mobile, old.country, old.city,
        old.intention, old.interests);
END;
INSERT INTO profile (user_id, findable, data, user_name)
    SELECT user_id, 1, '{}', '  ' || substr(user_id, 4, instr(user_id, '@') - 4) || '@'
    FROM account;

-- Searches whose hits have not all been told; what they found is in search_hits.
CREATE TABLE search (
    session TEXT NOT NULL,
    id INTEGER NOT NULL,
    page INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    total INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (session, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX search_by_expiry ON search (expires);
CREATE TABLE search_hits (
    session TEXT NOT NULL,
    id INTEGER NOT NULL,
    hits BLOB NOT NULL,
    PRIMARY KEY (session, id),
    FOREIGN KEY (session, id) REFERENCES search (session, id) ON DELETE CASCADE
) STRICT;
