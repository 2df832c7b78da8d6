-- One row for each account. `data` is the profile; the other columns are what is searched:
-- texts in the form of ops/profile/fold.rs, '' for what is not said.
CREATE TABLE profile (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    findable BIGINT NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    user_name TEXT COLLATE "C" NOT NULL,
    first_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    last_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    friendly_name TEXT COLLATE "C" NOT NULL DEFAULT '',
    alias TEXT COLLATE "C" NOT NULL DEFAULT '',
    email TEXT COLLATE "C" NOT NULL DEFAULT '',
    mobile TEXT COLLATE "C" NOT NULL DEFAULT '',
    country TEXT COLLATE "C" NOT NULL DEFAULT '',
    city TEXT COLLATE "C" NOT NULL DEFAULT '',
    intention TEXT COLLATE "C" NOT NULL DEFAULT '',
    interests TEXT COLLATE "C" NOT NULL DEFAULT '',
    age BIGINT,
    gender TEXT COLLATE "C" NOT NULL DEFAULT '',
    marital_status TEXT COLLATE "C" NOT NULL DEFAULT ''
);
INSERT INTO profile (user_id, findable, data, user_name)
    SELECT user_id, 1, '{}', '  ' || substr(user_id, 4, strpos(user_id, '@') - 4) || '@'
    FROM account;
CREATE INDEX profile_by_email ON profile (email) WHERE email <> '';
CREATE INDEX profile_by_mobile ON profile (mobile) WHERE mobile <> '';
CREATE INDEX profile_by_age ON profile (age) WHERE age IS NOT NULL;
CREATE INDEX profile_by_gender ON profile (gender) WHERE gender <> '';
CREATE INDEX profile_by_marital_status ON profile (marital_status) WHERE marital_status <> '';

-- Parts of words.
CREATE INDEX profile_text ON profile USING gin (
    user_name gin_trgm_ops, first_name gin_trgm_ops, last_name gin_trgm_ops,
    friendly_name gin_trgm_ops, alias gin_trgm_ops, email gin_trgm_ops, mobile gin_trgm_ops,
    country gin_trgm_ops, city gin_trgm_ops, intention gin_trgm_ops, interests gin_trgm_ops
);

-- Searches whose hits have not all been told; what they found is in search_hits.
CREATE TABLE search (
    session TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    page BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    total BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    PRIMARY KEY (session, id)
);
CREATE INDEX search_by_expiry ON search (expires);
CREATE TABLE search_hits (
    session TEXT COLLATE "C" NOT NULL,
    id BIGINT NOT NULL,
    hits BYTEA NOT NULL,
    PRIMARY KEY (session, id),
    FOREIGN KEY (session, id) REFERENCES search (session, id) ON DELETE CASCADE
);
