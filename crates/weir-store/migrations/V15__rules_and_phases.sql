-- Automatic deployment rules. rule: a weir_model::rule::Rule as JSON. origin as in criterion; a rule of the parent is
-- shown and never run here.
CREATE TABLE rule (
    rule_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    origin INTEGER NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a site knows of its own runs. since: scheduled starts up to here are done with. group_id: the kept group, which may
-- have another name by now.
CREATE TABLE rule_state (
    rule_id BLOB NOT NULL PRIMARY KEY REFERENCES rule (rule_id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    group_id BLOB
) STRICT, WITHOUT ROWID;

-- result: 0 done, 1 nothing matched, 2 failed, 3 skipped. summary: JSON. detail: every update with its reason, packed.
CREATE TABLE rule_run (
    run_no INTEGER PRIMARY KEY AUTOINCREMENT,
    rule_id BLOB NOT NULL REFERENCES rule (rule_id) ON DELETE CASCADE,
    cause INTEGER NOT NULL,
    base_at INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    result INTEGER NOT NULL,
    matched INTEGER NOT NULL,
    rejected INTEGER NOT NULL,
    summary TEXT NOT NULL,
    detail BLOB,
    detail_len INTEGER NOT NULL
) STRICT;
CREATE INDEX rule_run_by_rule ON rule_run (rule_id, run_no);

-- Rules that somebody saved to begin with. body: a weir_model::rule::Rule without name and deployments, as JSON.
CREATE TABLE rule_template (
    template_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Phased deployments. plan: a weir_model::phase::Plan as JSON. Like rules, those of the parent are shown and do nothing here.
CREATE TABLE phased (
    phased_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    plan TEXT NOT NULL,
    group_id BLOB NOT NULL,
    origin INTEGER NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far it is, and what was seen last: weir_model::phase::State and a list of Observation, as JSON.
CREATE TABLE phased_state (
    phased_id BLOB NOT NULL PRIMARY KEY REFERENCES phased (phased_id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    observed TEXT NOT NULL,
    observed_at INTEGER
) STRICT, WITHOUT ROWID;

-- A phase that started. founders: numbers of the computers that were in its collection then, packed.
CREATE TABLE phased_start (
    phased_id BLOB NOT NULL REFERENCES phased (phased_id) ON DELETE CASCADE,
    phase INTEGER NOT NULL,
    deployment_id INTEGER NOT NULL,
    founders BLOB NOT NULL,
    founders_len INTEGER NOT NULL,
    PRIMARY KEY (phased_id, phase)
) STRICT, WITHOUT ROWID;

-- What happened, with who and why.
CREATE TABLE phased_event (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    phased_id BLOB NOT NULL REFERENCES phased (phased_id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    phase INTEGER,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX phased_event_by_phased ON phased_event (phased_id, event_no);

-- Both are decisions that travel, as those that V6 follows.
CREATE TRIGGER intent_rule_insert AFTER INSERT ON rule BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (9, lower(hex(NEW.rule_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_rule_update AFTER UPDATE ON rule BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (9, lower(hex(NEW.rule_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_rule_delete AFTER DELETE ON rule BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (9, lower(hex(OLD.rule_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_phased_insert AFTER INSERT ON phased BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (12, lower(hex(NEW.phased_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_phased_update AFTER UPDATE ON phased BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (12, lower(hex(NEW.phased_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
CREATE TRIGGER intent_phased_delete AFTER DELETE ON phased BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (12, lower(hex(OLD.phased_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
