-- Searches that people keep. name_key is the name in lower case, filter an expression in its canonical text, by ids; text the
-- words that are looked for, sort FIELD or FIELD:asc or FIELD:desc. origin as that of criteria: 1 came from the parent.
CREATE TABLE saved_search (
    search_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    filter TEXT,
    text TEXT,
    sort TEXT,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- They travel, as the objects of V6 do.
CREATE TRIGGER intent_search_insert AFTER INSERT ON saved_search BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (13, lower(hex(NEW.search_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_search_update AFTER UPDATE ON saved_search BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (13, lower(hex(NEW.search_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_search_delete AFTER DELETE ON saved_search BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (13, lower(hex(OLD.search_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- The counter 'status' moves with every status that computers report, so that counts are made again only when they may
-- have changed.
INSERT INTO counter (name, value) VALUES ('status', 0);
CREATE TRIGGER status_added AFTER INSERT ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;
CREATE TRIGGER status_changed AFTER UPDATE ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;
CREATE TRIGGER status_removed AFTER DELETE ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;
