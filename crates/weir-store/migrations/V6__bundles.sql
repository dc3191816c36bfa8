-- Decisions as objects that travel to other sites: which changed when, deletions included. The triggers below keep it,
-- so that no writer can forget it. kind: 0 setting, 1 selection, 2 criterion, 3 update group, 4 collection, 5 decline,
-- 6 accepted licence, 7 deployment. id: text of the object's key, GUIDs as 32 lower-case digits. origin: who wrote the
-- object last, 0 this site, 1 the parent, 2 a bundle; set by what applies objects.
CREATE TABLE intent_object (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    change INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX intent_object_by_change ON intent_object (change, kind, id);

CREATE TRIGGER intent_setting_insert AFTER INSERT ON setting BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (0, NEW.key, NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_setting_update AFTER UPDATE ON setting BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (0, NEW.key, NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_setting_delete AFTER DELETE ON setting BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (0, OLD.key, (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_selection_insert AFTER INSERT ON selection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (1, CAST(NEW.kind AS TEXT), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_selection_delete AFTER DELETE ON selection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (1, CAST(OLD.kind AS TEXT), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_update_group_insert AFTER INSERT ON update_group BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(NEW.group_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_update_group_update AFTER UPDATE ON update_group BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(NEW.group_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_update_group_delete AFTER DELETE ON update_group BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(OLD.group_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
-- Members that go with their group do not bring it back.
CREATE TRIGGER intent_update_group_member_insert AFTER INSERT ON update_group_member WHEN EXISTS (SELECT 1 FROM update_group WHERE group_id = NEW.group_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(NEW.group_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_update_group_member_delete AFTER DELETE ON update_group_member WHEN EXISTS (SELECT 1 FROM update_group WHERE group_id = OLD.group_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(OLD.group_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
-- A built-in collection is an object once it was changed.
CREATE TRIGGER intent_collection_insert AFTER INSERT ON collection BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (4, lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_collection_update AFTER UPDATE ON collection BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (4, lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_collection_delete AFTER DELETE ON collection BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (4, lower(hex(OLD.collection_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_decline AFTER UPDATE OF declined_change ON updates WHEN NEW.declined_change > 0 BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (5, lower(hex(NEW.update_id)), NEW.declined_change, CASE WHEN NEW.declined_at IS NULL THEN 1 ELSE 0 END)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_eula AFTER UPDATE OF eula_id, eula_accepted_at ON updates WHEN NEW.flags_change > 0 BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (6, lower(hex(NEW.update_id)), NEW.flags_change, CASE WHEN NEW.eula_accepted_at IS NULL THEN 1 ELSE 0 END)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
-- Whether a deployment is active depends on what is here, and is no decision.
CREATE TRIGGER intent_deployment_insert AFTER INSERT ON deployment BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN NEW.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no)
        ELSE 'g' || lower(hex(NEW.group_id)) END || lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_deployment_update AFTER UPDATE OF revision, action, available_at, deadline_at, enabled ON deployment BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN NEW.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no)
        ELSE 'g' || lower(hex(NEW.group_id)) END || lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_deployment_delete AFTER DELETE ON deployment BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN OLD.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = OLD.update_no)
        ELSE 'g' || lower(hex(OLD.group_id)) END || lower(hex(OLD.collection_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- What was decided before this migration. Selections carry no number of their own: they get a new one.
UPDATE counter SET value = value + 1 WHERE name = 'change' AND EXISTS (SELECT 1 FROM selection);
INSERT INTO intent_object (kind, id, change, deleted) SELECT 0, key, change, 0 FROM setting;
INSERT INTO intent_object (kind, id, change, deleted)
    SELECT DISTINCT 1, CAST(s.kind AS TEXT), c.value, 0 FROM selection s JOIN counter c ON c.name = 'change';
INSERT INTO intent_object (kind, id, change, deleted) SELECT 3, lower(hex(group_id)), change, 0 FROM update_group;
INSERT INTO intent_object (kind, id, change, deleted)
    SELECT 4, lower(hex(collection_id)), change, 0 FROM collection WHERE change > 0;
INSERT INTO intent_object (kind, id, change, deleted)
    SELECT 5, lower(hex(update_id)), declined_change, CASE WHEN declined_at IS NULL THEN 1 ELSE 0 END FROM updates
    WHERE declined_change > 0;
INSERT INTO intent_object (kind, id, change, deleted)
    SELECT 6, lower(hex(update_id)), flags_change, 0 FROM updates WHERE eula_accepted_at IS NOT NULL;
INSERT INTO intent_object (kind, id, change, deleted)
    SELECT 7, CASE WHEN d.group_id IS NULL THEN 'u' || lower(hex(u.update_id)) ELSE 'g' || lower(hex(d.group_id)) END
        || lower(hex(d.collection_id)), d.change, 0
    FROM deployment d LEFT JOIN updates u ON u.update_no = d.update_no;

-- The key that this site signs bundles with.
CREATE TABLE bundle_key (
    key_no INTEGER PRIMARY KEY CHECK (key_no = 1),
    secret BLOB NOT NULL,
    public BLOB NOT NULL CHECK (length(public) = 32),
    created_at INTEGER NOT NULL
) STRICT;

-- Signers whose bundles are taken, by SHA-256 of their public key.
CREATE TABLE bundle_trust (
    fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32),
    name TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Bundles that were made here. Sequences are never given again.
CREATE TABLE bundle_issued (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bundle_id BLOB NOT NULL UNIQUE,
    base_id BLOB,
    change INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    issued_by TEXT NOT NULL
) STRICT;

-- The content files in them, for bundles that build on them.
CREATE TABLE bundle_issued_file (
    sequence INTEGER NOT NULL REFERENCES bundle_issued (sequence) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    PRIMARY KEY (sequence, digest)
) STRICT, WITHOUT ROWID;

-- Bundles that came here. state: 0 parts are arriving, 1 its metadata is in the catalogue, 2 all of it is.
CREATE TABLE bundle_received (
    bundle_id BLOB NOT NULL PRIMARY KEY,
    signer BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    state INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    result TEXT,
    received_at INTEGER NOT NULL,
    received_by TEXT NOT NULL,
    applied_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX bundle_received_by_signer ON bundle_received (signer, sequence);

-- Parts of them. state: 1 here and verified, 2 used up. A part that is awaited has no row.
CREATE TABLE bundle_part (
    bundle_id BLOB NOT NULL REFERENCES bundle_received (bundle_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (bundle_id, number)
) STRICT, WITHOUT ROWID;
