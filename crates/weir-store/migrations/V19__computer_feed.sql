-- What an index of the computers in memory has to read again: a row for each computer whose status, server or collections changed,
-- or that is gone, with the number of its last change. A row stays when its computer goes, so that followers hear of that.
CREATE TABLE computer_feed (
    computer_no INTEGER PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX computer_feed_by_version ON computer_feed (version);
INSERT INTO counter (name, value) VALUES ('computer_feed', 0);

CREATE TRIGGER feed_computer_added AFTER INSERT ON computer BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_computer_moved AFTER UPDATE OF site_no ON computer WHEN OLD.site_no IS NOT NEW.site_no BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_computer_gone AFTER DELETE ON computer BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT OLD.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_status_added AFTER INSERT ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_status_changed AFTER UPDATE OF status ON computer_status WHEN OLD.status IS NOT NEW.status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_status_removed AFTER DELETE ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT OLD.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_member_added AFTER INSERT ON collection_member BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
CREATE TRIGGER feed_member_removed AFTER DELETE ON collection_member BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT OLD.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
-- Who is in no target group is in Unassigned Computers as well: that may change for every member.
CREATE TRIGGER feed_collection_changed AFTER UPDATE OF kind ON collection WHEN OLD.kind IS NOT NEW.kind BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version)
    SELECT DISTINCT m.computer_no, c.value FROM collection_member m, counter c
    WHERE m.collection_id = NEW.collection_id AND c.name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;
