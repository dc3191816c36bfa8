-- Documents about vulnerabilities, in the one form of weir_model::exposure. kind: 0 CVRF, 1 CSAF, 2 the catalogue of known
-- exploited vulnerabilities. issuer tells ids of several publishers apart. current_at and version are the revision.
-- products is a JSON array of names, to which entries refer by place. source says where the file came from.
CREATE TABLE exposure_document (
    document_no INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    issuer TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    current_at INTEGER NOT NULL,
    released_at INTEGER,
    digest BLOB NOT NULL,
    products TEXT NOT NULL,
    entries INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    source TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    UNIQUE (kind, issuer, id)
) STRICT;

-- What a document says of one CVE: the JSON of a Vulnerability or, in a catalogue, of a KnownExploited.
CREATE TABLE exposure_entry (
    document_no INTEGER NOT NULL REFERENCES exposure_document (document_no) ON DELETE CASCADE,
    cve TEXT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (document_no, cve)
) STRICT, WITHOUT ROWID;

-- Days of service levels, if they are not the proposed ones: one row.
CREATE TABLE exposure_levels (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    levels TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

-- Exceptions from service levels: about a CVE or an update (one of both), on the computers of a collection or on one (one of
-- both). A computer that is removed and comes back has its exceptions again.
CREATE TABLE exposure_exception (
    exception_id BLOB NOT NULL PRIMARY KEY,
    cve TEXT,
    update_id BLOB,
    collection_id BLOB REFERENCES collection (collection_id) ON DELETE CASCADE,
    computer_id TEXT,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CHECK ((cve IS NULL) <> (update_id IS NULL)),
    CHECK ((collection_id IS NULL) <> (computer_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX exposure_exception_by_collection ON exposure_exception (collection_id);

-- The counter 'exposure' moves with every document, so that what is known is put together again only when it may differ.
INSERT INTO counter (name, value) VALUES ('exposure', 0);
CREATE TRIGGER exposure_document_insert AFTER INSERT ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;
CREATE TRIGGER exposure_document_update AFTER UPDATE ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;
CREATE TRIGGER exposure_document_delete AFTER DELETE ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;
