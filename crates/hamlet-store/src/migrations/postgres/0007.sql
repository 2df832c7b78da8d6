-- What a user is subscribed to, allows and prefers; who is not here has everything.
CREATE TABLE user_profile (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    data TEXT COLLATE "C" NOT NULL,
    -- Whether he may get messages.
    messages BIGINT NOT NULL
);

-- What the clients of a user were like when they last negotiated.
CREATE TABLE terminal (
    user_id TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    data TEXT COLLATE "C" NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (user_id, client)
);

-- Applications, each with the account by which it is itself a user.
CREATE TABLE application (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL UNIQUE,
    data TEXT COLLATE "C" NOT NULL
);

-- The users that an application may act for.
CREATE TABLE application_user (
    application TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (application, user_id),
    FOREIGN KEY (application) REFERENCES application (id) ON DELETE CASCADE
);
CREATE INDEX application_user_by_user ON application_user (user_id);
