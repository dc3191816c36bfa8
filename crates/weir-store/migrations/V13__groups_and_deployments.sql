-- Update groups have a description. Nobody may have two deployments of one update to a collection, apart from those that
-- the deployments of groups bring.
ALTER TABLE update_group ADD COLUMN description TEXT NOT NULL DEFAULT '';

-- name_key is the name in lower case. Names are unique among what this site makes; a replica takes what its parent has.
ALTER TABLE deployment ADD COLUMN name_key TEXT;
CREATE INDEX deployment_by_name ON deployment (name_key) WHERE name_key IS NOT NULL;
CREATE INDEX deployment_by_source ON deployment (source_id) WHERE source_id IS NOT NULL;
DROP INDEX deployment_own_by_update;
CREATE UNIQUE INDEX deployment_own_by_update ON deployment (update_no, collection_id)
    WHERE update_no IS NOT NULL AND origin <> 1 AND expanded_from IS NULL;
CREATE UNIQUE INDEX deployment_by_expansion ON deployment (expanded_from, update_no) WHERE expanded_from IS NOT NULL;
CREATE INDEX deployment_of_people ON deployment (deployment_id) WHERE expanded_from IS NULL;

-- What follows from a group and its deployment is no decision of its own and does not travel.
DROP TRIGGER intent_deployment_insert;
DROP TRIGGER intent_deployment_update;
DROP TRIGGER intent_deployment_delete;
CREATE TRIGGER intent_deployment_insert AFTER INSERT ON deployment WHEN NEW.expanded_from IS NULL BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN NEW.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no)
        ELSE 'g' || lower(hex(NEW.group_id)) END || lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_deployment_update AFTER UPDATE OF revision, action, available_at, deadline_at, enabled, guid, name,
    description, source_id, local_time, outside_windows, hold_until_window, settings
    ON deployment WHEN NEW.expanded_from IS NULL BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN NEW.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no)
        ELSE 'g' || lower(hex(NEW.group_id)) END || lower(hex(NEW.collection_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_deployment_delete AFTER DELETE ON deployment WHEN OLD.expanded_from IS NULL BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN OLD.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = OLD.update_no)
        ELSE 'g' || lower(hex(OLD.group_id)) END || lower(hex(OLD.collection_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- Named settings for deployments. body: a weir_model::deployment::Template as JSON. origin as in criterion.
CREATE TABLE deployment_template (
    template_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER intent_template_insert AFTER INSERT ON deployment_template BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (14, lower(hex(NEW.template_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_template_update AFTER UPDATE ON deployment_template BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (14, lower(hex(NEW.template_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_template_delete AFTER DELETE ON deployment_template BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (14, lower(hex(OLD.template_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- Updates that are offered to nobody until they are resumed, whatever deploys them. began: the change that stopped it; a
-- scan that ends at a later anchor has heard of it. change: the last one, which may be another reason.
CREATE TABLE update_stop (
    update_no INTEGER NOT NULL PRIMARY KEY REFERENCES updates (update_no),
    reason TEXT NOT NULL,
    began INTEGER NOT NULL,
    change INTEGER NOT NULL,
    stopped_at INTEGER NOT NULL,
    stopped_by TEXT NOT NULL
) STRICT;
CREATE TRIGGER intent_stop_insert AFTER INSERT ON update_stop BEGIN
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (15, (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_stop_update AFTER UPDATE ON update_stop BEGIN
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (15, (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = NEW.update_no), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_stop_delete AFTER DELETE ON update_stop BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (15, (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = OLD.update_no),
        (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

-- The parent sends its deployments over the site link; those of MS-WSUSSS are then left aside.
ALTER TABLE site_parent ADD COLUMN link_deployments INTEGER NOT NULL DEFAULT 0;
