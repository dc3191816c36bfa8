-- Client settings: sets of values for agents, deployed to collections. name_key is the name in lower case; priority 1 is the
-- strongest, 0 is that of the default set, which holds for every computer and has a row once it was changed. settings: JSON
-- of keys and values in their text form.
CREATE TABLE client_settings (
    set_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    priority INTEGER NOT NULL,
    settings TEXT NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_settings_collection (
    set_id BLOB NOT NULL REFERENCES client_settings (set_id) ON DELETE CASCADE,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    PRIMARY KEY (set_id, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX client_settings_collection_by_collection ON client_settings_collection (collection_id, set_id);

-- They travel as kind 10.
CREATE TRIGGER intent_client_settings_insert AFTER INSERT ON client_settings BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(NEW.set_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_client_settings_update AFTER UPDATE ON client_settings BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(NEW.set_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_client_settings_delete AFTER DELETE ON client_settings BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (10, lower(hex(OLD.set_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
-- Rows that go with their set do not bring it back.
CREATE TRIGGER intent_client_settings_collection_insert AFTER INSERT ON client_settings_collection WHEN EXISTS (SELECT 1 FROM client_settings WHERE set_id = NEW.set_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(NEW.set_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_client_settings_collection_delete AFTER DELETE ON client_settings_collection WHEN EXISTS (SELECT 1 FROM client_settings WHERE set_id = OLD.set_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(OLD.set_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
