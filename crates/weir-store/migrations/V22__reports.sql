-- Reports that are made by themselves. parameters: a JSON object of texts, as they were given; recurrence: the text form of a
-- schedule; format: 0 csv, 1 html, 2 json, 3 text; addresses by line, none: not by e-mail; folder: below the one that the settings
-- of the process allow, null: no file; keep: files of it that stay. since: occurrences up to here are done with. again_at: the
-- attempt for the last of them failed and is made again then; attempts: how many failed in a row. lease_owner makes it now.
-- last_*: how the last attempt went; last_error is null if it went well.
CREATE TABLE report_schedule (
    schedule_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    enabled INTEGER NOT NULL,
    report TEXT NOT NULL,
    parameters TEXT NOT NULL,
    row_limit INTEGER NOT NULL,
    recurrence TEXT NOT NULL,
    format INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    folder TEXT,
    keep INTEGER NOT NULL,
    since INTEGER NOT NULL,
    again_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
    last_started_at INTEGER,
    last_ended_at INTEGER,
    last_rows INTEGER,
    last_total INTEGER,
    last_file TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
