-- The tree of sites as the top defines it. Which of them is this server stands in site_here.
CREATE TABLE site_node (
    site_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    parent_id BLOB REFERENCES site_node (site_id),
    change INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX site_node_by_parent ON site_node (parent_id);
CREATE INDEX site_node_by_change ON site_node (change);

-- What removals leave behind, so that the servers below hear of them.
CREATE TABLE retired_site (
    change INTEGER PRIMARY KEY,
    site_id BLOB NOT NULL
) STRICT;

-- This server's place, and the version of the catalogue that it offers to those below it.
CREATE TABLE site_here (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    site_id BLOB REFERENCES site_node (site_id),
    catalogue_version INTEGER NOT NULL DEFAULT 0,
    catalogue_at INTEGER
) STRICT;
CREATE INDEX site_here_by_site ON site_here (site_id);
INSERT INTO site_here (no) VALUES (1);

-- Codes that servers enrol with: only their hashes. Used and withdrawn ones are kept for a while, to say so.
CREATE TABLE site_code (
    hash BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES site_node (site_id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    withdrawn_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX site_code_by_site ON site_code (site_id);

-- Servers that enrolled directly below this one, known by the SHA-256 of the certificate that they show.
CREATE TABLE site_enrolment (
    site_id BLOB NOT NULL PRIMARY KEY REFERENCES site_node (site_id) ON DELETE CASCADE,
    server_id BLOB NOT NULL UNIQUE,
    fingerprint BLOB NOT NULL UNIQUE,
    version TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The newest status of each update point at and below this server, as JSON.
CREATE TABLE site_status (
    site_id BLOB NOT NULL PRIMARY KEY REFERENCES site_node (site_id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The server above this one. The key is that of this server's own certificate.
CREATE TABLE site_parent (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    urls TEXT NOT NULL,
    name TEXT NOT NULL,
    server_id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    authority TEXT,
    certificate BLOB NOT NULL,
    private_key BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    feed_since INTEGER NOT NULL DEFAULT 0,
    feed_at INTEGER,
    refused TEXT,
    done_version INTEGER NOT NULL DEFAULT 0,
    done_at INTEGER
) STRICT;
