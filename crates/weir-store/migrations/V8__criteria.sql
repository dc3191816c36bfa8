-- Rules by which a synchronization skips or declines updates. name_key is the name in lower case, rule the rule as JSON.
CREATE TABLE criterion (
    criterion_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the rules of a revision ask of the processor, as far as they say it: the sum of 1 (x86), 2 (x64), 4 (Arm),
-- 8 (Arm64), 16 (Itanium). 0 if they say nothing, or were stored before this was kept.
ALTER TABLE revision ADD COLUMN architectures INTEGER NOT NULL DEFAULT 0;
