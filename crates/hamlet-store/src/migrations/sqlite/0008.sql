-- Groups of other domains in which a user wants to be joined at login: those of this domain
-- are in group_member.
CREATE TABLE auto_join_elsewhere (
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
