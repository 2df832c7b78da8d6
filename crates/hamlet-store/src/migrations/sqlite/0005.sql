-- Telephone numbers that the operator vouches for, digits only.
CREATE TABLE msisdn (
    number TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX msisdn_by_user ON msisdn (user_id);

-- With which new users may register.
CREATE TABLE invitation_code (
    code TEXT NOT NULL PRIMARY KEY,
    uses INTEGER NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
