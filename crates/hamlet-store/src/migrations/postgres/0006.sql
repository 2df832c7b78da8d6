-- What the server asks of the clients of a user by itself, beside messages, until one of
-- them has acknowledged it.
CREATE TABLE push (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL
);
CREATE UNIQUE INDEX push_of_user ON push (user_id, id);
CREATE INDEX push_by_expiry ON push (expires);

-- Invitations with what has become of them, one row for each invitee.
CREATE TABLE invitation (
    inviter TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    invitee TEXT COLLATE "C" NOT NULL,
    -- The identifier by which the invitee knows it.
    shown TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    PRIMARY KEY (inviter, id, invitee)
);
CREATE INDEX invitation_by_invitee ON invitation (invitee, shown);
CREATE INDEX invitation_by_expiry ON invitation (expires);

-- Texts of the operator, and for whom they are: all users, or those of the next table.
CREATE TABLE system_message (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    everyone BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    payload BYTEA NOT NULL
);
CREATE INDEX system_message_by_expiry ON system_message (expires);
CREATE INDEX system_message_for_everyone ON system_message (everyone, expires);

-- What has become of a text for one user. Of those for all users only who has got it is
-- here.
CREATE TABLE system_message_user (
    user_id TEXT COLLATE "C" NOT NULL,
    message BIGINT NOT NULL,
    state BIGINT NOT NULL,
    -- The option chosen; 0 for none.
    choice BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    PRIMARY KEY (user_id, message)
);
CREATE INDEX system_message_users ON system_message_user (message, user_id);

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
