-- Collections that are defined by a rule, by other collections, by a limit (kind 0; the columns and rows below are empty for
-- target groups). rule: an expression over computers with ids in place of names. limiting_id, and the other collection of a
-- reference, may be gone: then nobody is a member, or nothing is included or excluded.
ALTER TABLE collection ADD COLUMN description TEXT;
ALTER TABLE collection ADD COLUMN rule TEXT;
ALTER TABLE collection ADD COLUMN limiting_id BLOB;
CREATE INDEX collection_by_rule ON collection (collection_id) WHERE kind = 0;
CREATE INDEX collection_by_limit ON collection (limiting_id) WHERE limiting_id IS NOT NULL;

-- link: 0 includes, 1 excludes, 2 the rule names it.
CREATE TABLE collection_reference (
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    link INTEGER NOT NULL,
    other_id BLOB NOT NULL,
    PRIMARY KEY (collection_id, link, other_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_reference_by_other ON collection_reference (other_id);

-- Computers that an administrator put into a collection by rule. Whether they are members is decided with the rest.
CREATE TABLE collection_direct (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    PRIMARY KEY (computer_no, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX collection_direct_by_collection ON collection_direct (collection_id, computer_no);

-- 'membership' moves when the members of collections by rule may be others for every computer; 'membership_done' is its value
-- for which that was last found out.
INSERT INTO counter (name, value) VALUES ('membership', 0), ('membership_done', 0);
CREATE TRIGGER membership_collection_added AFTER INSERT ON collection WHEN NEW.kind = 0 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;
CREATE TRIGGER membership_collection_changed AFTER UPDATE OF kind, rule, limiting_id, parent_id ON collection
WHEN OLD.kind IS NOT NEW.kind OR OLD.rule IS NOT NEW.rule OR OLD.limiting_id IS NOT NEW.limiting_id
    OR OLD.parent_id IS NOT NEW.parent_id BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;
-- Who is in a group is not unassigned; who is in a collection by rule may be.
CREATE TRIGGER directory_collection_changed AFTER UPDATE OF kind ON collection WHEN OLD.kind IS NOT NEW.kind BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER membership_collection_removed AFTER DELETE ON collection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;
CREATE TRIGGER membership_reference_added AFTER INSERT ON collection_reference BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;
CREATE TRIGGER membership_reference_removed AFTER DELETE ON collection_reference BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

-- Computers whose collections by rule are to be found out anew because the target groups that they are in, or where they scan,
-- changed. Kept by triggers, so that whoever writes a membership need not think of it.
CREATE TABLE membership_todo (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE
) STRICT;
CREATE TRIGGER membership_group_joined AFTER INSERT ON collection_member
WHEN EXISTS (SELECT 1 FROM collection r WHERE r.kind = 0)
    AND EXISTS (SELECT 1 FROM collection c WHERE c.collection_id = NEW.collection_id AND c.kind = 1)
    AND EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = NEW.computer_no AND c.site_no = 1) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (NEW.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;
CREATE TRIGGER membership_group_left AFTER DELETE ON collection_member
WHEN EXISTS (SELECT 1 FROM collection r WHERE r.kind = 0)
    AND EXISTS (SELECT 1 FROM collection c WHERE c.collection_id = OLD.collection_id AND c.kind = 1)
    AND EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = OLD.computer_no AND c.site_no = 1) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (OLD.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;
CREATE TRIGGER membership_direct_added AFTER INSERT ON collection_direct BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (NEW.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;
CREATE TRIGGER membership_direct_removed AFTER DELETE ON collection_direct
WHEN EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = OLD.computer_no) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (OLD.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;
CREATE TRIGGER membership_computer_moved AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no IS NOT NEW.site_no AND EXISTS (SELECT 1 FROM collection r WHERE r.kind = 0) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (NEW.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;

-- A computer that scans at another site is in the collections that are told of it from there.
CREATE TRIGGER membership_computer_left AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no = 1 AND NEW.site_no <> 1 BEGIN
    DELETE FROM collection_member WHERE computer_no = NEW.computer_no AND source <> 1
        AND EXISTS (SELECT 1 FROM collection c WHERE c.collection_id = collection_member.collection_id AND c.kind = 0);
END;
