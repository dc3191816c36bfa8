-- Maintenance windows of collections. name_key is the name in lower case; recurrence the text form of a schedule with its
-- first day, without a zone if it is read in the zone of each computer. kind: 0 all deployments, 1 software updates,
-- 2 task sequences.
CREATE TABLE maintenance_window (
    window_id BLOB NOT NULL PRIMARY KEY,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    recurrence TEXT NOT NULL,
    minutes INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    UNIQUE (collection_id, name_key)
) STRICT, WITHOUT ROWID;

-- They are decisions that travel, as those that V6 follows.
CREATE TRIGGER intent_window_insert AFTER INSERT ON maintenance_window BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (8, lower(hex(NEW.window_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_window_update AFTER UPDATE ON maintenance_window BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (8, lower(hex(NEW.window_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_window_delete AFTER DELETE ON maintenance_window BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (8, lower(hex(OLD.window_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- The directory in memory knows the zone of each computer that scans here.
CREATE TRIGGER directory_computer_zone AFTER UPDATE OF time_zone ON computer
WHEN OLD.time_zone IS NOT NEW.time_zone AND NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

-- Another run time can move a deadline into another window: computers hear of it as of any change of the deployment.
CREATE TRIGGER deployment_run_time AFTER UPDATE OF run_time_minutes ON updates
WHEN OLD.run_time_minutes <> NEW.run_time_minutes
    AND EXISTS (SELECT 1 FROM deployment WHERE update_no = NEW.update_no) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    UPDATE deployment SET change = (SELECT value FROM counter WHERE name = 'change') WHERE update_no = NEW.update_no;
END;
