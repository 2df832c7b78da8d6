-- Telephone numbers that the operator vouches for, digits only.
CREATE TABLE msisdn (
    number TEXT COLLATE "C" PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL
);
CREATE INDEX msisdn_by_user ON msisdn (user_id);

-- With which new users may register.
CREATE TABLE invitation_code (
    code TEXT COLLATE "C" PRIMARY KEY,
    uses BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
