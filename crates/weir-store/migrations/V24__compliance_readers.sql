-- What is kept of computers beside their states follows the feed, too: the release of Windows decides what they are exposed to.
CREATE TRIGGER feed_computer_system AFTER UPDATE OF registered_at, os_major_version, os_minor_version, os_build_number ON computer
WHEN (OLD.registered_at IS NULL) <> (NEW.registered_at IS NULL) OR OLD.os_major_version IS NOT NEW.os_major_version
    OR OLD.os_minor_version IS NOT NEW.os_minor_version OR OLD.os_build_number IS NOT NEW.os_build_number BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

-- Scans that failed are few among all: lists of failures find them without a look at every computer.
CREATE INDEX computer_by_failed_scan ON computer (last_sync_succeeded) WHERE last_sync_succeeded = 0;

-- The exact build of its operating system, a.b.c.d, that a computer told with its last scan; null: it told none.
ALTER TABLE computer ADD COLUMN exact_build TEXT;

-- What is derived from builds is brought up to date like what is derived from statuses.
CREATE TRIGGER feed_computer_built AFTER UPDATE OF exact_build ON computer WHEN OLD.exact_build IS NOT NEW.exact_build BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
