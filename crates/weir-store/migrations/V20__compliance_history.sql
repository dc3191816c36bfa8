-- What history of compliance is kept of. kind and key: 0 a collection, 1 a server (the zero GUID is this one), 2 an update group,
-- 3 an update group (16 bytes) in a collection (16 bytes), 4 an update. The name is what it was last called; gone_at: since when
-- there is no such thing any more. Neither refers to what it is about, whose history outlives it.
CREATE TABLE compliance_subject (
    subject_no INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    name TEXT NOT NULL,
    gone_at INTEGER,
    UNIQUE (kind, key)
) STRICT;

-- Computers by state, a few bytes a day, in one blob for each calendar year of the site's zone.
CREATE TABLE compliance_history (
    subject_no INTEGER NOT NULL REFERENCES compliance_subject (subject_no) ON DELETE CASCADE,
    year INTEGER NOT NULL,
    series BLOB NOT NULL,
    PRIMARY KEY (subject_no, year)
) STRICT, WITHOUT ROWID;
