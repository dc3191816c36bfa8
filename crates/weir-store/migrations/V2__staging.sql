-- What a synchronization fetches waits here until one transaction makes it part of the catalogue.

-- The server that the catalogue is synchronized from, and how far: at most one row. Anchors are its own texts,
-- configuration is what it last said of itself (JSON).
CREATE TABLE sync_source (
    source_no INTEGER PRIMARY KEY CHECK (source_no = 1),
    identity TEXT NOT NULL,
    config_anchor TEXT,
    configuration TEXT,
    category_anchor TEXT,
    update_anchor TEXT,
    update_filter TEXT,
    deployment_anchor TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

-- Lists that were received: their anchors become those of the source when what they named is promoted.
CREATE TABLE sync_list (
    kind INTEGER PRIMARY KEY,
    anchor TEXT NOT NULL,
    filter TEXT,
    received_at INTEGER NOT NULL
) STRICT;

-- Revisions still to be fetched. attempts counts runs that could not fetch one.
CREATE TABLE pending_revision (
    pending_no INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    UNIQUE (update_id, revision)
) STRICT;
CREATE INDEX pending_revision_by_kind ON pending_revision (kind, pending_no);

-- Revisions that were fetched, parsed and compressed. needs holds what they refer to, for the order of promotion.
CREATE TABLE staged_revision (
    staged_no INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    update_type INTEGER NOT NULL,
    category_kind INTEGER,
    secured INTEGER NOT NULL,
    needs BLOB NOT NULL,
    facts_len INTEGER NOT NULL,
    facts BLOB NOT NULL,
    texts BLOB NOT NULL,
    UNIQUE (update_id, revision)
) STRICT;
CREATE INDEX staged_revision_by_category ON staged_revision (category_kind) WHERE category_kind IS NOT NULL;
CREATE INDEX staged_revision_by_secured ON staged_revision (secured, staged_no) WHERE secured > 0;

CREATE TABLE staged_source (
    digest BLOB NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (digest, url)
) STRICT, WITHOUT ROWID;

-- Revisions that rules left out, so that they are not fetched again.
CREATE TABLE skipped_revision (
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    reason TEXT NOT NULL,
    skipped_at INTEGER NOT NULL,
    PRIMARY KEY (update_id, revision)
) STRICT, WITHOUT ROWID;

-- Deployments of the parent whose revision is not here yet, as they came.
CREATE TABLE held_deployment (
    guid BLOB NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    held_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A parent may have several deployments of an update to one collection; only those made here are unique.
DROP INDEX deployment_by_update;
CREATE UNIQUE INDEX deployment_own_by_update ON deployment (update_no, collection_id)
    WHERE update_no IS NOT NULL AND origin <> 1;
CREATE INDEX deployment_by_update ON deployment (update_no, collection_id) WHERE update_no IS NOT NULL;

-- Who a collection came from: 0 made here, 1 the parent.
ALTER TABLE collection ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;
CREATE INDEX collection_by_origin ON collection (origin, collection_id);
CREATE INDEX revision_by_eula ON revision (eula_id) WHERE eula_id IS NOT NULL;
