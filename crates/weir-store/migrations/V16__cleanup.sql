-- Revisions whose texts were removed: lists name them again, and they are not to come back. An update keeps its row.
CREATE TABLE purged_revision (
    update_no INTEGER NOT NULL REFERENCES updates (update_no),
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    reason INTEGER NOT NULL,
    purged_at INTEGER NOT NULL,
    PRIMARY KEY (update_no, revision)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER purged_revision_came_back AFTER INSERT ON revision BEGIN
    DELETE FROM purged_revision WHERE update_no = NEW.update_no AND revision = NEW.revision;
END;

-- Updates that were members of bundles which were removed.
CREATE TABLE former_member (
    update_no INTEGER PRIMARY KEY
) STRICT;

-- For the sake of which newer update one was declined. It holds while the update is declined.
CREATE TABLE cleanup_decline (
    update_no INTEGER PRIMARY KEY,
    superseded_by INTEGER NOT NULL
) STRICT;

-- Revisions that are about to be removed and that no downstream server is told of any more.
CREATE TABLE leaving_revision (
    revision_id INTEGER PRIMARY KEY REFERENCES revision (revision_id) ON DELETE CASCADE,
    since INTEGER NOT NULL
) STRICT;

-- Updates that have just arrived and wait for their maximum run time.
CREATE TABLE run_time_due (
    update_no INTEGER PRIMARY KEY
) STRICT;
CREATE TRIGGER run_time_due_on_arrival AFTER UPDATE OF newest_revision_id ON updates
WHEN OLD.newest_revision_id IS NULL AND NEW.newest_revision_id IS NOT NULL AND NEW.run_time_set = 0 BEGIN
    INSERT INTO run_time_due (update_no) VALUES (NEW.update_no) ON CONFLICT (update_no) DO NOTHING;
END;

-- What administrators set of an update travels, as the decisions that V6 follows. kind: 11.
CREATE TRIGGER intent_update_setting AFTER UPDATE OF custom_severity, run_time_minutes, run_time_set ON updates
WHEN OLD.custom_severity IS NOT NEW.custom_severity OR OLD.run_time_set IS NOT NEW.run_time_set
    OR (NEW.run_time_set = 1 AND OLD.run_time_minutes IS NOT NEW.run_time_minutes) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (11, lower(hex(NEW.update_id)), (SELECT value FROM counter WHERE name = 'change'),
        CASE WHEN NEW.custom_severity IS NULL AND NEW.run_time_set = 0 THEN 1 ELSE 0 END)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
