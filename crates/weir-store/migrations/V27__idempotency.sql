-- Requests with a key of the caller's, so that one that is sent again is not carried out again. key_hash: SHA-256 of the key;
-- request: method and address; body_hash: SHA-256 of the body; status: none while the request is under way, or when the process
-- ended in the middle of it; answer: none if it was not kept.
CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    request TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    status INTEGER,
    answer TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- Jobs that wait or run are looked at every second while somebody follows what changes.
CREATE INDEX job_open ON job (job_no) WHERE state < 2;
