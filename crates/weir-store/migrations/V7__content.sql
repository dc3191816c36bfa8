-- Files that downstream servers asked for (DownloadFiles, MS-WSUSSS 3.1.4.11).
CREATE TABLE content_request (
    digest BLOB NOT NULL PRIMARY KEY,
    requested_at INTEGER NOT NULL,
    requested_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Files that could not be fetched, and when they are tried again.
CREATE TABLE content_rest (
    digest BLOB NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Languages that the files of a revision are made for; a revision without one is neutral.
CREATE TABLE revision_language (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    PRIMARY KEY (revision_id, language)
) STRICT, WITHOUT ROWID;

-- 1 for files that carry differences only (PatchingType Express).
ALTER TABLE revision_file ADD COLUMN express INTEGER NOT NULL DEFAULT 0;

-- 1 when languages and kinds of files were taken from the document; releases before this one left them out.
ALTER TABLE revision ADD COLUMN content_facts INTEGER NOT NULL DEFAULT 0;
CREATE INDEX revision_without_content_facts ON revision (revision_id) WHERE content_facts = 0;

CREATE INDEX revision_file_eula ON revision_file (revision_id) WHERE eula_language IS NOT NULL;

-- When a file came; 0 for files that came with releases before this one.
ALTER TABLE content_file ADD COLUMN added_at INTEGER NOT NULL DEFAULT 0;
