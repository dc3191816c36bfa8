-- Who may do what. Tables are new or get columns: a server of the release before runs on this database and knows the built-in
-- administrator only, whose sign-in codes and token are where they were.

-- role: 0 read-only analyst, 1 operator, 2 software update manager, 3 full administrator. collections: to which a principal
-- is limited, as a JSON array of ids; NULL: not limited.
-- password: argon2id as a PHC string; NULL: signs in otherwise. issuer and subject: who it is at a provider of OpenID Connect.
CREATE TABLE user_account (
    user_no INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role INTEGER NOT NULL,
    collections TEXT,
    enabled INTEGER NOT NULL,
    built_in INTEGER NOT NULL,
    password TEXT,
    must_change INTEGER NOT NULL,
    issuer TEXT,
    subject TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    signed_in_at INTEGER,
    UNIQUE (issuer, subject)
) STRICT;
INSERT INTO user_account (user_no, name, name_key, display_name, role, enabled, built_in, must_change, created_at, created_by)
VALUES (1, 'administrator', 'administrator', 'Built-in administrator', 3, 1, 1, 0, unixepoch() * 1000000, 'system: start');

-- Certificates by which users are known; fingerprint: SHA-256.
CREATE TABLE user_certificate (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX user_certificate_by_user ON user_certificate (user_no);

-- Sessions of the console. The table "session" is of the release before, which knows neither roles nor scopes: nothing reads
-- it any more. previous_hash: the secret before the last rotation, for requests that were under way. link_by: the user who made the
-- sign-in link by which it began.
CREATE TABLE console_session (
    session_id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    previous_hash BLOB,
    previous_until INTEGER,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    origin TEXT,
    last_visit INTEGER,
    link_by INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX console_session_by_previous ON console_session (previous_hash);
CREATE INDEX console_session_by_user ON console_session (user_no);
CREATE INDEX console_session_by_expiry ON console_session (expires_at);

-- made_by: the user who made it; NULL: the server.
ALTER TABLE sign_in_code ADD COLUMN made_by INTEGER;

-- user_no: whose token it is; it may no more than that user. NULL: admin.token, and tokens of the release before.
ALTER TABLE api_token ADD COLUMN user_no INTEGER REFERENCES user_account (user_no) ON DELETE CASCADE;
ALTER TABLE api_token ADD COLUMN role INTEGER;
ALTER TABLE api_token ADD COLUMN collections TEXT;
ALTER TABLE api_token ADD COLUMN used_at INTEGER;
CREATE INDEX api_token_by_user ON api_token (user_no);

-- What members of a group of the provider of OpenID Connect may do.
CREATE TABLE group_mapping (
    group_name TEXT NOT NULL PRIMARY KEY,
    role INTEGER NOT NULL,
    collections TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests that wait for a second person. state: 0 waiting, 1 done, 2 rejected, 3 failed. link_by: the user who made the sign-in
-- link by which the requester came.
CREATE TABLE approval (
    approval_no INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    body TEXT,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    token_key TEXT,
    requested_by TEXT NOT NULL,
    requested_from TEXT,
    requested_proof TEXT NOT NULL,
    link_by INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT,
    answer_status INTEGER,
    answer TEXT
) STRICT;
CREATE INDEX approval_by_user ON approval (user_no);

-- How the actor proved who it is, and who approved it where a second person had to.
ALTER TABLE audit ADD COLUMN proof TEXT;
ALTER TABLE audit ADD COLUMN approved_by TEXT;
CREATE INDEX audit_by_actor ON audit (actor);
