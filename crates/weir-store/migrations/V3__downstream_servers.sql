-- Servers that synchronize from this one. server_no is the site_no of the computers that they report, so numbers start
-- at 2 (1 is this server) and are never given again.
CREATE TABLE downstream_server (
    server_no INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    admission INTEGER NOT NULL,
    admission_at INTEGER NOT NULL,
    admission_by TEXT NOT NULL,
    is_weir INTEGER NOT NULL DEFAULT 0,
    is_replica INTEGER,
    protocol TEXT,
    software_version TEXT,
    first_contact_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL,
    authorized_at INTEGER,
    last_sync_at INTEGER,
    sync_change INTEGER,
    deployment_change INTEGER
) STRICT;
INSERT INTO sqlite_sequence (name, seq) VALUES ('downstream_server', 1);
CREATE INDEX downstream_server_by_admission ON downstream_server (admission, server_no);

-- Version of the server protocol that readers of a document must speak, if it names one.
ALTER TABLE revision ADD COLUMN compatible_protocol TEXT;
CREATE INDEX revision_by_change ON revision (change);

-- A deployment is known to other servers by its guid. One that an older binary makes gets its guid here.
ALTER TABLE deployment ADD COLUMN guid BLOB;
UPDATE deployment SET guid = randomblob(16);
ALTER TABLE retired_deployment ADD COLUMN guid BLOB;
CREATE UNIQUE INDEX deployment_by_guid ON deployment (guid);
CREATE INDEX deployment_by_change ON deployment (change);
CREATE TRIGGER deployment_gets_a_guid AFTER INSERT ON deployment WHEN NEW.guid IS NULL BEGIN
    UPDATE deployment SET guid = randomblob(16) WHERE deployment_id = NEW.deployment_id;
END;
CREATE TRIGGER retired_deployment_keeps_its_guid AFTER INSERT ON retired_deployment WHEN NEW.guid IS NULL BEGIN
    UPDATE retired_deployment SET guid =
        (SELECT d.guid FROM deployment d WHERE d.deployment_id = NEW.deployment_id) WHERE change = NEW.change;
END;

-- When a language was chosen or no longer chosen, for downstream servers that ask what changed.
CREATE TABLE selection_change (
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

-- Keys of encrypted files, as an upstream server gave them.
CREATE TABLE file_key (
    digest BLOB NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
