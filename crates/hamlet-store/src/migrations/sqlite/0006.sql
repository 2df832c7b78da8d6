-- What the server asks of the clients of a user by itself, beside messages, until one of
-- them has acknowledged it.
CREATE TABLE push (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT NOT NULL,
    id TEXT NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX push_of_user ON push (user_id, id);
CREATE INDEX push_by_expiry ON push (expires);

-- Invitations with what has become of them, one row for each invitee.
CREATE TABLE invitation (
    inviter TEXT NOT NULL,
    id TEXT NOT NULL,
    invitee TEXT NOT NULL,
    -- The identifier by which the invitee knows it.
    shown TEXT NOT NULL,
    state INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (inviter, id, invitee)
) STRICT, WITHOUT ROWID;
CREATE INDEX invitation_by_invitee ON invitation (invitee, shown);
CREATE INDEX invitation_by_expiry ON invitation (expires);

-- Texts of the operator, and for whom they are: all users, or those of the next table.
CREATE TABLE system_message (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    everyone INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX system_message_by_expiry ON system_message (expires);
CREATE INDEX system_message_for_everyone ON system_message (everyone, expires);

-- What has become of a text for one user. Of those for all users only who has got it is
-- here.
CREATE TABLE system_message_user (
    user_id TEXT NOT NULL,
    message INTEGER NOT NULL,
    state INTEGER NOT NULL,
    -- The option chosen; 0 for none.
    choice INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (user_id, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX system_message_users ON system_message_user (message, user_id);

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
