-- What a user is subscribed to, allows and prefers; who is not here has everything.
CREATE TABLE user_profile (
    user_id TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL,
    -- Whether he may get messages.
    messages INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the clients of a user were like when they last negotiated.
CREATE TABLE terminal (
    user_id TEXT NOT NULL,
    client TEXT NOT NULL,
    data TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (user_id, client)
) STRICT, WITHOUT ROWID;

-- Applications, each with the account by which it is itself a user.
CREATE TABLE application (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL UNIQUE,
    data TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The users that an application may act for.
CREATE TABLE application_user (
    application TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (application, user_id),
    FOREIGN KEY (application) REFERENCES application (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX application_user_by_user ON application_user (user_id);
