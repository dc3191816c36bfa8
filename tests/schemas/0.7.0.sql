CREATE TABLE alert (
    alert_no INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity INTEGER NOT NULL,
    message TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    closed_at INTEGER
, acknowledged_at INTEGER, acknowledged_by TEXT, muted_until INTEGER, muted_by TEXT, note TEXT, closed_by TEXT) STRICT;

CREATE INDEX alert_by_closing ON alert (closed_at, alert_no);

CREATE INDEX alert_by_subject ON alert (kind, subject, alert_no);

CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE closed_at IS NULL;

CREATE TABLE alert_delivery (
    delivery_no INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery_id BLOB NOT NULL UNIQUE,
    subscription_id BLOB NOT NULL REFERENCES subscription (subscription_id) ON DELETE CASCADE,
    event TEXT NOT NULL,
    alert_no INTEGER,
    payload TEXT NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    ended_at INTEGER,
    last_error TEXT,
    answer TEXT
) STRICT;

CREATE INDEX alert_delivery_due ON alert_delivery (state, next_at);

CREATE INDEX alert_delivery_of ON alert_delivery (subscription_id, created_at);

CREATE TABLE alert_event (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_no INTEGER NOT NULL REFERENCES alert (alert_no) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    what INTEGER NOT NULL,
    actor TEXT NOT NULL,
    note TEXT
) STRICT;

CREATE INDEX alert_event_of ON alert_event (alert_no, event_no);

CREATE TABLE alert_told (
    subscription_id BLOB NOT NULL REFERENCES subscription (subscription_id) ON DELETE CASCADE,
    alert_no INTEGER NOT NULL REFERENCES alert (alert_no) ON DELETE CASCADE,
    told_at INTEGER NOT NULL,
    closed_told INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, alert_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_told_of ON alert_told (alert_no);

CREATE TABLE api_token (
    hash BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    principal TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER
, user_no INTEGER REFERENCES user_account (user_no) ON DELETE CASCADE, role INTEGER, collections TEXT, used_at INTEGER) STRICT, WITHOUT ROWID;

CREATE INDEX api_token_by_user ON api_token (user_no);

CREATE TABLE approval (
    approval_no INTEGER PRIMARY KEY AUTOINCREMENT,
    state INTEGER NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    method TEXT NOT NULL,
    target TEXT NOT NULL,
    body TEXT,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    token_key TEXT,
    requested_by TEXT NOT NULL,
    requested_from TEXT,
    requested_proof TEXT NOT NULL,
    link_by INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_by TEXT,
    decided_at INTEGER,
    note TEXT,
    answer_status INTEGER,
    answer TEXT
, seen TEXT, reached BLOB, reached_len INTEGER) STRICT;

CREATE INDEX approval_by_user ON approval (user_no);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;

CREATE TABLE audit (
    audit_no INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    origin TEXT,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT,
    after TEXT
, proof TEXT, approved_by TEXT) STRICT;

CREATE INDEX audit_by_actor ON audit (actor);

CREATE TABLE bundle (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    clause INTEGER NOT NULL,
    position INTEGER NOT NULL,
    update_no INTEGER,
    revision INTEGER,
    PRIMARY KEY (revision_id, clause, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX bundle_by_update ON bundle (update_no, revision);

CREATE TABLE bundle_issued (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bundle_id BLOB NOT NULL UNIQUE,
    base_id BLOB,
    change INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    issued_by TEXT NOT NULL
) STRICT;

CREATE TABLE bundle_issued_file (
    sequence INTEGER NOT NULL REFERENCES bundle_issued (sequence) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    PRIMARY KEY (sequence, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle_key (
    key_no INTEGER PRIMARY KEY CHECK (key_no = 1),
    secret BLOB NOT NULL,
    public BLOB NOT NULL CHECK (length(public) = 32),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE bundle_part (
    bundle_id BLOB NOT NULL REFERENCES bundle_received (bundle_id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    state INTEGER NOT NULL,
    PRIMARY KEY (bundle_id, number)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE bundle_trust (
    fingerprint BLOB NOT NULL PRIMARY KEY CHECK (length(fingerprint) = 32),
    name TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cleanup_decline (
    update_no INTEGER PRIMARY KEY,
    superseded_by INTEGER NOT NULL
) STRICT;

CREATE TRIGGER intent_client_settings_delete AFTER DELETE ON client_settings BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (10, lower(hex(OLD.set_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TRIGGER intent_client_settings_collection_delete AFTER DELETE ON client_settings_collection WHEN EXISTS (SELECT 1 FROM client_settings WHERE set_id = OLD.set_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(OLD.set_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TRIGGER intent_client_settings_collection_insert AFTER INSERT ON client_settings_collection WHEN EXISTS (SELECT 1 FROM client_settings WHERE set_id = NEW.set_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (10, lower(hex(NEW.set_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TABLE client_settings_collection (
    set_id BLOB NOT NULL REFERENCES client_settings (set_id) ON DELETE CASCADE,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    PRIMARY KEY (set_id, collection_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX client_settings_collection_by_collection ON client_settings_collection (collection_id, set_id);

CREATE TRIGGER directory_collection_changed AFTER UPDATE OF kind ON collection WHEN OLD.kind IS NOT NEW.kind BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER feed_collection_changed AFTER UPDATE OF kind ON collection WHEN OLD.kind IS NOT NEW.kind BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version)
    SELECT DISTINCT m.computer_no, c.value FROM collection_member m, counter c
    WHERE m.collection_id = NEW.collection_id AND c.name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER intent_collection_delete AFTER DELETE ON collection BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (4, lower(hex(OLD.collection_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TRIGGER membership_collection_added AFTER INSERT ON collection WHEN NEW.kind = 0 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

CREATE TRIGGER membership_collection_changed AFTER UPDATE OF kind, rule, limiting_id, parent_id ON collection
WHEN OLD.kind IS NOT NEW.kind OR OLD.rule IS NOT NEW.rule OR OLD.limiting_id IS NOT NEW.limiting_id
    OR OLD.parent_id IS NOT NEW.parent_id BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

CREATE TRIGGER membership_collection_removed AFTER DELETE ON collection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

CREATE TABLE collection (
    collection_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    parent_id BLOB REFERENCES collection (collection_id),
    kind INTEGER NOT NULL,
    approved_only INTEGER NOT NULL DEFAULT 0,
    time_zone TEXT,
    built_in INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
, origin INTEGER NOT NULL DEFAULT 0, description TEXT, rule TEXT, limiting_id BLOB) STRICT, WITHOUT ROWID;

CREATE INDEX collection_by_limit ON collection (limiting_id) WHERE limiting_id IS NOT NULL;

CREATE INDEX collection_by_origin ON collection (origin, collection_id);

CREATE INDEX collection_by_parent ON collection (parent_id);

CREATE INDEX collection_by_rule ON collection (collection_id) WHERE kind = 0;

CREATE TRIGGER membership_direct_added AFTER INSERT ON collection_direct BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (NEW.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;

CREATE TRIGGER membership_direct_removed AFTER DELETE ON collection_direct
WHEN EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = OLD.computer_no) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (OLD.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;

CREATE TABLE collection_direct (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    PRIMARY KEY (computer_no, collection_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX collection_direct_by_collection ON collection_direct (collection_id, computer_no);

CREATE TRIGGER directory_member_added AFTER INSERT ON collection_member
WHEN (SELECT c.site_no FROM computer c WHERE c.computer_no = NEW.computer_no) = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER directory_member_removed AFTER DELETE ON collection_member
WHEN (SELECT c.site_no FROM computer c WHERE c.computer_no = OLD.computer_no) = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
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

CREATE TRIGGER rollup_member_added AFTER INSERT ON collection_member
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 3, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

CREATE TRIGGER rollup_member_removed AFTER DELETE ON collection_member
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND EXISTS (SELECT 1 FROM computer c WHERE c.computer_no = OLD.computer_no) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT OLD.computer_no, 3, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

CREATE TABLE collection_member (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    source INTEGER NOT NULL,
    PRIMARY KEY (computer_no, collection_id, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX collection_member_by_collection ON collection_member (collection_id, computer_no);

CREATE TRIGGER membership_reference_added AFTER INSERT ON collection_reference BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

CREATE TRIGGER membership_reference_removed AFTER DELETE ON collection_reference BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'membership';
END;

CREATE TABLE collection_reference (
    collection_id BLOB NOT NULL REFERENCES collection (collection_id) ON DELETE CASCADE,
    link INTEGER NOT NULL,
    other_id BLOB NOT NULL,
    PRIMARY KEY (collection_id, link, other_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX collection_reference_by_other ON collection_reference (other_id);

CREATE TABLE compliance_history (
    subject_no INTEGER NOT NULL REFERENCES compliance_subject (subject_no) ON DELETE CASCADE,
    year INTEGER NOT NULL,
    series BLOB NOT NULL,
    PRIMARY KEY (subject_no, year)
) STRICT, WITHOUT ROWID;

CREATE TABLE compliance_subject (
    subject_no INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    key BLOB NOT NULL,
    name TEXT NOT NULL,
    gone_at INTEGER,
    UNIQUE (kind, key)
) STRICT;

CREATE TRIGGER directory_computer_added AFTER INSERT ON computer WHEN NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER directory_computer_moved AFTER UPDATE OF site_no ON computer WHEN OLD.site_no <> NEW.site_no BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER directory_computer_registered AFTER UPDATE OF registered_at ON computer
WHEN OLD.registered_at IS NULL AND NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER directory_computer_removed AFTER DELETE ON computer WHEN OLD.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER directory_computer_zone AFTER UPDATE OF time_zone ON computer
WHEN OLD.time_zone IS NOT NEW.time_zone AND NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;

CREATE TRIGGER feed_computer_added AFTER INSERT ON computer BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER feed_computer_built AFTER UPDATE OF exact_build ON computer WHEN OLD.exact_build IS NOT NEW.exact_build BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER feed_computer_gone AFTER DELETE ON computer BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT OLD.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER feed_computer_moved AFTER UPDATE OF site_no ON computer WHEN OLD.site_no IS NOT NEW.site_no BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER feed_computer_system AFTER UPDATE OF registered_at, os_major_version, os_minor_version, os_build_number ON computer
WHEN (OLD.registered_at IS NULL) <> (NEW.registered_at IS NULL) OR OLD.os_major_version IS NOT NEW.os_major_version
    OR OLD.os_minor_version IS NOT NEW.os_minor_version OR OLD.os_build_number IS NOT NEW.os_build_number BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER feed_computer_zone AFTER UPDATE OF time_zone ON computer WHEN OLD.time_zone IS NOT NEW.time_zone BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'computer_feed';
    INSERT INTO computer_feed (computer_no, version) SELECT NEW.computer_no, value FROM counter WHERE name = 'computer_feed'
    ON CONFLICT (computer_no) DO UPDATE SET version = excluded.version;
END;

CREATE TRIGGER membership_computer_left AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no = 1 AND NEW.site_no <> 1 BEGIN
    DELETE FROM collection_member WHERE computer_no = NEW.computer_no AND source <> 1
        AND EXISTS (SELECT 1 FROM collection c WHERE c.collection_id = collection_member.collection_id AND c.kind = 0);
END;

CREATE TRIGGER membership_computer_moved AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no IS NOT NEW.site_no AND EXISTS (SELECT 1 FROM collection r WHERE r.kind = 0) BEGIN
    INSERT INTO membership_todo (computer_no) VALUES (NEW.computer_no) ON CONFLICT (computer_no) DO NOTHING;
END;

CREATE TRIGGER rollup_computer_added AFTER INSERT ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 3, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark, withheld = 0;
END;

CREATE TRIGGER rollup_computer_came_here AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no <> 1 AND NEW.site_no = 1 BEGIN
    DELETE FROM rollup_computer WHERE computer_no = NEW.computer_no;
END;

CREATE TRIGGER rollup_computer_described
AFTER UPDATE OF site_no, dns_name, ip_address, requested_groups, registered_at, os_major_version, os_minor_version,
    os_build_number, os_service_pack_major_number, os_service_pack_minor_number, os_locale, computer_manufacturer,
    computer_model, bios_version, bios_name, bios_release_date, processor_architecture, suite_mask, old_product_type,
    new_product_type, system_metrics, client_version_major_number, client_version_minor_number,
    client_version_build_number, client_version_qfe_number, os_description ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND (OLD.site_no IS NOT NEW.site_no OR OLD.dns_name IS NOT NEW.dns_name OR OLD.ip_address IS NOT NEW.ip_address
        OR OLD.requested_groups IS NOT NEW.requested_groups OR OLD.os_major_version IS NOT NEW.os_major_version
        OR OLD.os_minor_version IS NOT NEW.os_minor_version OR OLD.os_build_number IS NOT NEW.os_build_number
        OR OLD.os_service_pack_major_number IS NOT NEW.os_service_pack_major_number
        OR OLD.os_service_pack_minor_number IS NOT NEW.os_service_pack_minor_number
        OR OLD.os_locale IS NOT NEW.os_locale OR OLD.computer_manufacturer IS NOT NEW.computer_manufacturer
        OR OLD.computer_model IS NOT NEW.computer_model OR OLD.bios_version IS NOT NEW.bios_version
        OR OLD.bios_name IS NOT NEW.bios_name OR OLD.bios_release_date IS NOT NEW.bios_release_date
        OR OLD.processor_architecture IS NOT NEW.processor_architecture OR OLD.suite_mask IS NOT NEW.suite_mask
        OR OLD.old_product_type IS NOT NEW.old_product_type OR OLD.new_product_type IS NOT NEW.new_product_type
        OR OLD.system_metrics IS NOT NEW.system_metrics
        OR OLD.client_version_major_number IS NOT NEW.client_version_major_number
        OR OLD.client_version_minor_number IS NOT NEW.client_version_minor_number
        OR OLD.client_version_build_number IS NOT NEW.client_version_build_number
        OR OLD.client_version_qfe_number IS NOT NEW.client_version_qfe_number
        OR OLD.os_description IS NOT NEW.os_description) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 3, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark, withheld = 0;
END;

CREATE TRIGGER rollup_computer_heard_of
AFTER UPDATE OF last_sync_at, last_sync_succeeded, last_report_at, last_reboot_at ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND (OLD.last_sync_at IS NOT NEW.last_sync_at OR OLD.last_sync_succeeded IS NOT NEW.last_sync_succeeded
        OR OLD.last_report_at IS NOT NEW.last_report_at OR OLD.last_reboot_at IS NOT NEW.last_reboot_at) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 1, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark, withheld = 0;
END;

CREATE TRIGGER rollup_computer_removed AFTER DELETE ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
END;

CREATE TABLE computer (
    computer_no INTEGER PRIMARY KEY AUTOINCREMENT,
    computer_id TEXT NOT NULL UNIQUE,
    site_no INTEGER NOT NULL DEFAULT 1,
    dns_name TEXT NOT NULL,
    search TEXT NOT NULL,
    ip_address TEXT,
    plain_http INTEGER NOT NULL,
    requested_groups TEXT,
    first_contact_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL,
    last_sync_at INTEGER,
    last_sync_succeeded INTEGER,
    last_sync_error INTEGER,
    last_report_at INTEGER,
    last_reboot_at INTEGER,
    registered_at INTEGER,
    os_major_version INTEGER,
    os_minor_version INTEGER,
    os_build_number INTEGER,
    os_service_pack_major_number INTEGER,
    os_service_pack_minor_number INTEGER,
    os_locale TEXT,
    computer_manufacturer TEXT,
    computer_model TEXT,
    bios_version TEXT,
    bios_name TEXT,
    bios_release_date INTEGER,
    processor_architecture TEXT,
    suite_mask INTEGER,
    old_product_type INTEGER,
    new_product_type INTEGER,
    system_metrics INTEGER,
    client_version_major_number INTEGER,
    client_version_minor_number INTEGER,
    client_version_build_number INTEGER,
    client_version_qfe_number INTEGER,
    os_description TEXT,
    oem TEXT,
    device_type TEXT,
    firmware_version TEXT,
    mobile_operator TEXT
, time_zone TEXT, cookie_name TEXT, exact_build TEXT) STRICT;

CREATE INDEX computer_by_failed_scan ON computer (last_sync_succeeded) WHERE last_sync_succeeded = 0;

CREATE INDEX computer_by_first_contact ON computer (first_contact_at);

CREATE INDEX computer_by_plain_http ON computer (plain_http, site_no) WHERE plain_http = 1;

CREATE INDEX computer_by_site ON computer (site_no, computer_no);

CREATE INDEX computer_by_time_zone ON computer (computer_no) WHERE time_zone IS NOT NULL;

CREATE TABLE computer_event (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    event_id INTEGER NOT NULL,
    instance_id BLOB NOT NULL,
    source_id INTEGER NOT NULL,
    at_target INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    hresult INTEGER NOT NULL,
    detail TEXT,
    PRIMARY KEY (computer_no, event_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE computer_feed (
    computer_no INTEGER PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX computer_feed_by_version ON computer_feed (version);

CREATE TABLE computer_print (
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    hardware TEXT NOT NULL,
    system TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    returns INTEGER NOT NULL,
    returned_at INTEGER,
    address TEXT,
    PRIMARY KEY (computer_no, channel, name, hardware, system)
) STRICT, WITHOUT ROWID;

CREATE TABLE computer_retired (
    retired_no INTEGER PRIMARY KEY AUTOINCREMENT,
    computer_id TEXT NOT NULL UNIQUE,
    dns_name TEXT NOT NULL,
    first_contact_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL,
    last_report_at INTEGER,
    time_zone TEXT,
    collections TEXT NOT NULL,
    reason INTEGER NOT NULL,
    retired_at INTEGER NOT NULL,
    retired_by TEXT NOT NULL
) STRICT;

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

CREATE TRIGGER rollup_status_added AFTER INSERT ON computer_status
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 4, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

CREATE TRIGGER rollup_status_changed AFTER UPDATE OF status, anchor ON computer_status
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND (OLD.status IS NOT NEW.status OR OLD.anchor IS NOT NEW.anchor) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 4, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

CREATE TRIGGER status_added AFTER INSERT ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;

CREATE TRIGGER status_changed AFTER UPDATE ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;

CREATE TRIGGER status_removed AFTER DELETE ON computer_status BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'status';
END;

CREATE TABLE computer_status (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE,
    anchor INTEGER NOT NULL,
    status BLOB NOT NULL,
    recent_events BLOB NOT NULL
) STRICT;

CREATE TABLE console_session (
    session_id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    previous_hash BLOB,
    previous_until INTEGER,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    rotated_at INTEGER NOT NULL,
    origin TEXT,
    last_visit INTEGER,
    link_by INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX console_session_by_expiry ON console_session (expires_at);

CREATE INDEX console_session_by_previous ON console_session (previous_hash);

CREATE INDEX console_session_by_user ON console_session (user_no);

CREATE TABLE content_file (
    digest BLOB NOT NULL PRIMARY KEY,
    sha256 BLOB NOT NULL,
    size INTEGER NOT NULL,
    extension TEXT NOT NULL,
    state INTEGER NOT NULL,
    verified_at INTEGER NOT NULL
, added_at INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

CREATE TABLE content_request (
    digest BLOB NOT NULL PRIMARY KEY,
    requested_at INTEGER NOT NULL,
    requested_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE content_rest (
    digest BLOB NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE core_block (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    plain_len INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (revision_id, row)
) STRICT;

CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER intent_criterion_delete AFTER DELETE ON criterion BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (2, lower(hex(OLD.criterion_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TRIGGER intent_criterion_insert AFTER INSERT ON criterion BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (2, lower(hex(NEW.criterion_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TRIGGER intent_criterion_update AFTER UPDATE ON criterion BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (2, lower(hex(NEW.criterion_id)), NEW.change, 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TABLE criterion (
    criterion_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    rule TEXT NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER deployment_gets_a_guid AFTER INSERT ON deployment WHEN NEW.guid IS NULL BEGIN
    UPDATE deployment SET guid = randomblob(16) WHERE deployment_id = NEW.deployment_id;
END;

CREATE TRIGGER intent_deployment_delete AFTER DELETE ON deployment WHEN OLD.expanded_from IS NULL BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (7, CASE WHEN OLD.group_id IS NULL
        THEN 'u' || (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = OLD.update_no)
        ELSE 'g' || lower(hex(OLD.group_id)) END || lower(hex(OLD.collection_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE deployment (
    deployment_id INTEGER PRIMARY KEY AUTOINCREMENT,
    update_no INTEGER REFERENCES updates (update_no),
    revision INTEGER,
    group_id BLOB REFERENCES update_group (group_id),
    collection_id BLOB NOT NULL REFERENCES collection (collection_id),
    action INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    deadline_at INTEGER,
    enabled INTEGER NOT NULL,
    active INTEGER NOT NULL,
    origin INTEGER NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL, guid BLOB, expanded_from INTEGER REFERENCES deployment (deployment_id), name TEXT, description TEXT, source_id BLOB, local_time INTEGER NOT NULL DEFAULT 0, outside_windows INTEGER NOT NULL DEFAULT 0, hold_until_window INTEGER NOT NULL DEFAULT 0, settings TEXT NOT NULL DEFAULT '{}', name_key TEXT,
    CHECK ((update_no IS NULL) <> (group_id IS NULL))
) STRICT;

CREATE INDEX deployment_by_change ON deployment (change);

CREATE INDEX deployment_by_collection ON deployment (collection_id);

CREATE UNIQUE INDEX deployment_by_expansion ON deployment (expanded_from, update_no) WHERE expanded_from IS NOT NULL;

CREATE UNIQUE INDEX deployment_by_group ON deployment (group_id, collection_id) WHERE group_id IS NOT NULL;

CREATE UNIQUE INDEX deployment_by_guid ON deployment (guid);

CREATE INDEX deployment_by_name ON deployment (name_key) WHERE name_key IS NOT NULL;

CREATE INDEX deployment_by_source ON deployment (source_id) WHERE source_id IS NOT NULL;

CREATE INDEX deployment_by_update ON deployment (update_no, collection_id) WHERE update_no IS NOT NULL;

CREATE INDEX deployment_of_people ON deployment (deployment_id) WHERE expanded_from IS NULL;

CREATE UNIQUE INDEX deployment_own_by_update ON deployment (update_no, collection_id)
    WHERE update_no IS NOT NULL AND origin <> 1 AND expanded_from IS NULL;

CREATE TRIGGER intent_template_delete AFTER DELETE ON deployment_template BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (14, lower(hex(OLD.template_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TRIGGER rollup_client_goes_with_its_server AFTER DELETE ON downstream_server BEGIN
    DELETE FROM rollup_client WHERE server_no = OLD.server_no;
END;

CREATE TABLE downstream_server (
    server_no INTEGER PRIMARY KEY AUTOINCREMENT,
    server_id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    admission INTEGER NOT NULL,
    admission_at INTEGER NOT NULL,
    admission_by TEXT NOT NULL,
    is_weir INTEGER NOT NULL DEFAULT 0,
    is_replica INTEGER,
    protocol TEXT,
    software_version TEXT,
    first_contact_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL,
    authorized_at INTEGER,
    last_sync_at INTEGER,
    sync_change INTEGER,
    deployment_change INTEGER
) STRICT;

CREATE INDEX downstream_server_by_admission ON downstream_server (admission, server_no);

CREATE TABLE driver (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    hardware_id TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (revision_id, position)
) STRICT;

CREATE INDEX driver_by_hardware ON driver (hardware_id);

CREATE TABLE duty (
    name TEXT NOT NULL PRIMARY KEY,
    front_id TEXT NOT NULL,
    term INTEGER NOT NULL,
    until INTEGER NOT NULL,
    UNIQUE (name, term)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER rollup_event_deleted AFTER DELETE ON event
WHEN OLD.event_no >= (SELECT coalesce(max(e.event_no), 0) FROM event e) BEGIN
    UPDATE rollup_state SET event_no = min(event_no, (SELECT coalesce(max(e.event_no), 0) FROM event e));
END;

CREATE TABLE event (
    event_no INTEGER PRIMARY KEY,
    instance_id BLOB NOT NULL UNIQUE,
    computer_no INTEGER NOT NULL REFERENCES computer (computer_no) ON DELETE CASCADE,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    at_target INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    hresult INTEGER NOT NULL,
    detail TEXT
) STRICT;

CREATE INDEX event_by_computer ON event (computer_no, event_no);

CREATE INDEX event_by_received ON event (received_at);

CREATE TRIGGER exposure_document_delete AFTER DELETE ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;

CREATE TRIGGER exposure_document_insert AFTER INSERT ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;

CREATE TRIGGER exposure_document_update AFTER UPDATE ON exposure_document BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'exposure';
END;

CREATE TABLE exposure_document (
    document_no INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    issuer TEXT NOT NULL,
    id TEXT NOT NULL,
    title TEXT NOT NULL,
    version TEXT NOT NULL,
    current_at INTEGER NOT NULL,
    released_at INTEGER,
    digest BLOB NOT NULL,
    products TEXT NOT NULL,
    entries INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    source TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    imported_by TEXT NOT NULL,
    UNIQUE (kind, issuer, id)
) STRICT;

CREATE TABLE exposure_entry (
    document_no INTEGER NOT NULL REFERENCES exposure_document (document_no) ON DELETE CASCADE,
    cve TEXT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (document_no, cve)
) STRICT, WITHOUT ROWID;

CREATE TABLE exposure_exception (
    exception_id BLOB NOT NULL PRIMARY KEY,
    cve TEXT,
    update_id BLOB,
    collection_id BLOB REFERENCES collection (collection_id) ON DELETE CASCADE,
    computer_id TEXT,
    owner TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    CHECK ((cve IS NULL) <> (update_id IS NULL)),
    CHECK ((collection_id IS NULL) <> (computer_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX exposure_exception_by_collection ON exposure_exception (collection_id);

CREATE TABLE exposure_levels (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    levels TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

CREATE TABLE file_key (
    digest BLOB NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE file_source (
    digest BLOB NOT NULL,
    url TEXT NOT NULL,
    origin TEXT NOT NULL,
    PRIMARY KEY (digest, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE former_member (
    update_no INTEGER PRIMARY KEY
) STRICT;

CREATE TABLE front_end (
    front_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    content TEXT NOT NULL,
    authority TEXT NOT NULL,
    admin TEXT,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE group_mapping (
    group_name TEXT NOT NULL PRIMARY KEY,
    role INTEGER NOT NULL,
    collections TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE held_deployment (
    guid BLOB NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    held_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE history_roll_up (
    day INTEGER NOT NULL,
    server_no INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (day, server_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    key_hash BLOB NOT NULL,
    request TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    status INTEGER,
    answer TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (principal, key_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE intent_object (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    change INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    origin INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX intent_object_by_change ON intent_object (change, kind, id);

CREATE TABLE job (
    job_no INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id BLOB NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state INTEGER NOT NULL,
    input TEXT NOT NULL,
    progress TEXT,
    result TEXT,
    lease_owner TEXT,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    started_at INTEGER,
    ended_at INTEGER
) STRICT;

CREATE INDEX job_by_kind ON job (kind, job_no);

CREATE INDEX job_by_state ON job (kind, state, job_no);

CREATE INDEX job_open ON job (job_no) WHERE state < 2;

CREATE TABLE language (
    language TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE leaving_revision (
    revision_id INTEGER PRIMARY KEY REFERENCES revision (revision_id) ON DELETE CASCADE,
    since INTEGER NOT NULL
) STRICT;

CREATE TABLE localized (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    PRIMARY KEY (revision_id, position)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER intent_window_delete AFTER DELETE ON maintenance_window BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (8, lower(hex(OLD.window_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE membership_todo (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE
) STRICT;

CREATE TABLE pending_revision (
    pending_no INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    UNIQUE (update_id, revision)
) STRICT;

CREATE INDEX pending_revision_by_kind ON pending_revision (kind, pending_no);

CREATE TRIGGER intent_phased_delete AFTER DELETE ON phased BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (12, lower(hex(OLD.phased_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
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

CREATE TABLE phased_start (
    phased_id BLOB NOT NULL REFERENCES phased (phased_id) ON DELETE CASCADE,
    phase INTEGER NOT NULL,
    deployment_id INTEGER NOT NULL,
    founders BLOB NOT NULL,
    founders_len INTEGER NOT NULL,
    PRIMARY KEY (phased_id, phase)
) STRICT, WITHOUT ROWID;

CREATE TABLE phased_state (
    phased_id BLOB NOT NULL PRIMARY KEY REFERENCES phased (phased_id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    observed TEXT NOT NULL,
    observed_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE prerequisite (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    clause INTEGER NOT NULL,
    position INTEGER NOT NULL,
    is_category INTEGER NOT NULL,
    bare INTEGER NOT NULL,
    update_no INTEGER,
    PRIMARY KEY (revision_id, clause, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX prerequisite_by_update ON prerequisite (update_no);

CREATE TABLE purged_revision (
    update_no INTEGER NOT NULL REFERENCES updates (update_no),
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    reason INTEGER NOT NULL,
    purged_at INTEGER NOT NULL,
    PRIMARY KEY (update_no, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE report_schedule (
    schedule_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    enabled INTEGER NOT NULL,
    report TEXT NOT NULL,
    parameters TEXT NOT NULL,
    row_limit INTEGER NOT NULL,
    recurrence TEXT NOT NULL,
    format INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    folder TEXT,
    keep INTEGER NOT NULL,
    since INTEGER NOT NULL,
    again_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
    last_started_at INTEGER,
    last_ended_at INTEGER,
    last_rows INTEGER,
    last_total INTEGER,
    last_file TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER retired_deployment_keeps_its_guid AFTER INSERT ON retired_deployment WHEN NEW.guid IS NULL BEGIN
    UPDATE retired_deployment SET guid =
        (SELECT d.guid FROM deployment d WHERE d.deployment_id = NEW.deployment_id) WHERE change = NEW.change;
END;

CREATE TABLE retired_deployment (
    change INTEGER PRIMARY KEY,
    deployment_id INTEGER NOT NULL,
    update_no INTEGER NOT NULL,
    collection_id BLOB NOT NULL,
    retired_at INTEGER NOT NULL,
    retired_by TEXT NOT NULL
, guid BLOB) STRICT;

CREATE TABLE retired_site (
    change INTEGER PRIMARY KEY,
    site_id BLOB NOT NULL
) STRICT;

CREATE TRIGGER purged_revision_came_back AFTER INSERT ON revision BEGIN
    DELETE FROM purged_revision WHERE update_no = NEW.update_no AND revision = NEW.revision;
END;

CREATE TABLE revision (
    revision_id INTEGER PRIMARY KEY AUTOINCREMENT,
    update_no INTEGER NOT NULL REFERENCES updates (update_no),
    revision INTEGER NOT NULL,
    update_type INTEGER NOT NULL,
    category_kind INTEGER,
    expired INTEGER NOT NULL,
    explicitly_deployable INTEGER NOT NULL,
    is_bundle INTEGER NOT NULL,
    core_plain_len INTEGER NOT NULL,
    core_escaped_len INTEGER NOT NULL,
    core_pieces INTEGER NOT NULL,
    core_block_rows INTEGER NOT NULL,
    core_blocks_len INTEGER NOT NULL,
    change INTEGER NOT NULL,
    text_hash BLOB NOT NULL,
    created_at INTEGER,
    arrived_at INTEGER NOT NULL,
    arrived_by TEXT NOT NULL,
    severity INTEGER,
    default_language TEXT NOT NULL,
    title TEXT NOT NULL,
    kb_articles TEXT NOT NULL,
    bulletins TEXT NOT NULL,
    eula_id TEXT,
    search TEXT NOT NULL, compatible_protocol TEXT, content_facts INTEGER NOT NULL DEFAULT 0, architectures INTEGER NOT NULL DEFAULT 0,
    UNIQUE (update_no, revision)
) STRICT;

CREATE INDEX revision_by_change ON revision (change);

CREATE INDEX revision_by_eula ON revision (eula_id) WHERE eula_id IS NOT NULL;

CREATE INDEX revision_by_type ON revision (update_type, revision_id);

CREATE INDEX revision_without_content_facts ON revision (revision_id) WHERE content_facts = 0;

CREATE TABLE revision_category (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    update_no INTEGER NOT NULL,
    PRIMARY KEY (revision_id, update_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX revision_category_by_update ON revision_category (update_no, revision_id);

CREATE TABLE revision_file (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    digest BLOB NOT NULL,
    sha256 BLOB,
    size INTEGER NOT NULL,
    name TEXT NOT NULL,
    modified_at INTEGER,
    eula_language TEXT, express INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (revision_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX revision_file_by_digest ON revision_file (digest);

CREATE INDEX revision_file_eula ON revision_file (revision_id) WHERE eula_language IS NOT NULL;

CREATE TABLE revision_language (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    PRIMARY KEY (revision_id, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_activity (
    client_no INTEGER NOT NULL REFERENCES rollup_client (client_no) ON DELETE CASCADE,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    succeeded INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    fresh_succeeded INTEGER NOT NULL,
    fresh_failed INTEGER NOT NULL,
    sending_succeeded INTEGER NOT NULL DEFAULT 0,
    sending_failed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (client_no, update_id, revision)
) STRICT, WITHOUT ROWID;

CREATE INDEX rollup_activity_fresh ON rollup_activity (client_no) WHERE fresh_succeeded + fresh_failed > 0;

CREATE INDEX rollup_activity_sending ON rollup_activity (client_no) WHERE sending_succeeded + sending_failed > 0;

CREATE TABLE rollup_client (
    client_no INTEGER PRIMARY KEY,
    server_no INTEGER NOT NULL,
    os TEXT NOT NULL,
    computers INTEGER NOT NULL,
    counted_at INTEGER,
    repeated BLOB,
    UNIQUE (server_no, os)
) STRICT;

CREATE TRIGGER rollup_effective_changed AFTER UPDATE OF effective_at, details, last_inventory_at ON rollup_computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND (OLD.effective_at IS NOT NEW.effective_at OR OLD.details IS NOT NEW.details
        OR OLD.last_inventory_at IS NOT NEW.last_inventory_at) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 7, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

CREATE TABLE rollup_computer (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE,
    last_inventory_at INTEGER,
    details TEXT,
    number INTEGER NOT NULL DEFAULT 0,
    effective_at INTEGER
) STRICT;

CREATE TABLE rollup_deleted (
    computer_id TEXT NOT NULL PRIMARY KEY,
    last_sync_at INTEGER,
    deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX rollup_deleted_by_time ON rollup_deleted (deleted_at);

CREATE TABLE rollup_sent (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE,
    todo INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    withheld INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL DEFAULT 0,
    status BLOB,
    effective_at INTEGER
) STRICT;

CREATE INDEX rollup_sent_rows ON rollup_sent (computer_no) WHERE todo & 3 <> 0 AND withheld = 0;

CREATE INDEX rollup_sent_status ON rollup_sent (computer_no) WHERE todo & 4 <> 0 AND withheld = 0;

CREATE TABLE rollup_server (
    server_no INTEGER PRIMARY KEY REFERENCES downstream_server (server_no) ON DELETE CASCADE,
    parent_no INTEGER NOT NULL,
    last_sync_at INTEGER,
    last_rollup_at INTEGER,
    received_at INTEGER NOT NULL,
    clock_shift INTEGER NOT NULL DEFAULT 0,
    sending_at INTEGER,
    summary TEXT NOT NULL
) STRICT;

CREATE INDEX rollup_server_by_parent ON rollup_server (parent_no);

CREATE TABLE rollup_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    reset_id BLOB,
    reset_for BLOB,
    upstream_id BLOB,
    upstream_reset BLOB,
    marks INTEGER NOT NULL DEFAULT 0,
    event_no INTEGER NOT NULL DEFAULT 0,
    sending_at INTEGER,
    last_rollup_at INTEGER,
    figures TEXT,
    figures_change INTEGER,
    figures_marks INTEGER
) STRICT;

CREATE TABLE rollup_sync (
    at INTEGER PRIMARY KEY,
    change INTEGER NOT NULL
) STRICT;

CREATE TRIGGER intent_rule_delete AFTER DELETE ON rule BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (9, lower(hex(OLD.rule_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE rule_state (
    rule_id BLOB NOT NULL PRIMARY KEY REFERENCES rule (rule_id) ON DELETE CASCADE,
    since INTEGER NOT NULL,
    group_id BLOB
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_template (
    template_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE run_time_due (
    update_no INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER intent_search_delete AFTER DELETE ON saved_search BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (13, lower(hex(OLD.search_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE sealing_key (
    key_id INTEGER PRIMARY KEY AUTOINCREMENT,
    secret BLOB NOT NULL CHECK (length(secret) = 32),
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TRIGGER intent_selection_delete AFTER DELETE ON selection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (1, CAST(OLD.kind AS TEXT), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TRIGGER intent_selection_insert AFTER INSERT ON selection BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (1, CAST(NEW.kind AS TEXT), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TABLE selection (
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE selection_change (
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    hash BLOB NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_expiry ON session (expires_at);

CREATE TRIGGER intent_setting_delete AFTER DELETE ON setting BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (0, OLD.key, (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    change INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_code (
    hash BLOB NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
, made_by INTEGER) STRICT, WITHOUT ROWID;

CREATE INDEX sign_in_code_by_expiry ON sign_in_code (expires_at);

CREATE TABLE site (
    site_no INTEGER PRIMARY KEY,
    server_id BLOB NOT NULL UNIQUE,
    config_changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE site_code (
    hash BLOB NOT NULL PRIMARY KEY,
    site_id BLOB NOT NULL REFERENCES site_node (site_id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    withdrawn_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX site_code_by_site ON site_code (site_id);

CREATE TABLE site_enrolment (
    site_id BLOB NOT NULL PRIMARY KEY REFERENCES site_node (site_id) ON DELETE CASCADE,
    server_id BLOB NOT NULL UNIQUE,
    fingerprint BLOB NOT NULL UNIQUE,
    version TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE site_here (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    site_id BLOB REFERENCES site_node (site_id),
    catalogue_version INTEGER NOT NULL DEFAULT 0,
    catalogue_at INTEGER
) STRICT;

CREATE INDEX site_here_by_site ON site_here (site_id);

CREATE TABLE site_node (
    site_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    parent_id BLOB REFERENCES site_node (site_id),
    change INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX site_node_by_change ON site_node (change);

CREATE INDEX site_node_by_parent ON site_node (parent_id);

CREATE TABLE site_parent (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    urls TEXT NOT NULL,
    name TEXT NOT NULL,
    server_id BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    authority TEXT,
    certificate BLOB NOT NULL,
    private_key BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    enrolled_at INTEGER NOT NULL,
    feed_since INTEGER NOT NULL DEFAULT 0,
    feed_at INTEGER,
    refused TEXT,
    done_version INTEGER NOT NULL DEFAULT 0,
    done_at INTEGER
, link_deployments INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE site_status (
    site_id BLOB NOT NULL PRIMARY KEY REFERENCES site_node (site_id) ON DELETE CASCADE,
    status TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE skipped_revision (
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    title TEXT NOT NULL,
    reason TEXT NOT NULL,
    skipped_at INTEGER NOT NULL,
    PRIMARY KEY (update_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE staged_revision (
    staged_no INTEGER PRIMARY KEY AUTOINCREMENT,
    update_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    update_type INTEGER NOT NULL,
    category_kind INTEGER,
    secured INTEGER NOT NULL,
    needs BLOB NOT NULL,
    facts_len INTEGER NOT NULL,
    facts BLOB NOT NULL,
    texts BLOB NOT NULL,
    UNIQUE (update_id, revision)
) STRICT;

CREATE INDEX staged_revision_by_category ON staged_revision (category_kind) WHERE category_kind IS NOT NULL;

CREATE INDEX staged_revision_by_secured ON staged_revision (secured, staged_no) WHERE secured > 0;

CREATE TABLE staged_source (
    digest BLOB NOT NULL,
    url TEXT NOT NULL,
    PRIMARY KEY (digest, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE status_message (
    message_no INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    severity INTEGER NOT NULL,
    component TEXT NOT NULL,
    code INTEGER NOT NULL,
    text TEXT NOT NULL,
    parameters TEXT NOT NULL,
    about_kind TEXT,
    about TEXT
) STRICT;

CREATE INDEX status_message_by_time ON status_message (at);

CREATE TABLE subscription (
    subscription_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    enabled INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    least INTEGER NOT NULL,
    channel INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    url TEXT NOT NULL,
    allow_http INTEGER NOT NULL,
    secret TEXT NOT NULL,
    secret_before TEXT NOT NULL,
    secret_until INTEGER,
    repeat_minutes INTEGER NOT NULL,
    on_close INTEGER NOT NULL,
    group_seconds INTEGER NOT NULL,
    most_per_hour INTEGER NOT NULL,
    since INTEGER NOT NULL,
    disabled_because TEXT,
    succeeded_at INTEGER,
    failed_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE superseded (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    update_no INTEGER NOT NULL,
    PRIMARY KEY (revision_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX superseded_by_update ON superseded (update_no);

CREATE TABLE sync_list (
    kind INTEGER PRIMARY KEY,
    anchor TEXT NOT NULL,
    filter TEXT,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sync_source (
    source_no INTEGER PRIMARY KEY CHECK (source_no = 1),
    identity TEXT NOT NULL,
    config_anchor TEXT,
    configuration TEXT,
    category_anchor TEXT,
    update_anchor TEXT,
    update_filter TEXT,
    deployment_anchor TEXT,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE text_piece (
    revision_id INTEGER NOT NULL REFERENCES revision (revision_id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    part INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    language TEXT,
    region TEXT,
    plain_len INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (revision_id, kind, part, piece)
) STRICT;

CREATE TRIGGER intent_update_group_delete AFTER DELETE ON update_group BEGIN
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(OLD.group_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
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

CREATE TABLE update_group (
    group_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    change INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
, description TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;

CREATE TRIGGER intent_update_group_member_delete AFTER DELETE ON update_group_member WHEN EXISTS (SELECT 1 FROM update_group WHERE group_id = OLD.group_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(OLD.group_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TRIGGER intent_update_group_member_insert AFTER INSERT ON update_group_member WHEN EXISTS (SELECT 1 FROM update_group WHERE group_id = NEW.group_id) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted) VALUES (3, lower(hex(NEW.group_id)), (SELECT value FROM counter WHERE name = 'change'), 0)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

CREATE TABLE update_group_member (
    group_id BLOB NOT NULL REFERENCES update_group (group_id) ON DELETE CASCADE,
    update_no INTEGER NOT NULL REFERENCES updates (update_no),
    PRIMARY KEY (group_id, update_no)
) STRICT, WITHOUT ROWID;

CREATE INDEX update_group_member_by_update ON update_group_member (update_no);

CREATE TRIGGER intent_stop_delete AFTER DELETE ON update_stop BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (15, (SELECT lower(hex(u.update_id)) FROM updates u WHERE u.update_no = OLD.update_no),
        (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;

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

CREATE TABLE update_stop (
    update_no INTEGER NOT NULL PRIMARY KEY REFERENCES updates (update_no),
    reason TEXT NOT NULL,
    began INTEGER NOT NULL,
    change INTEGER NOT NULL,
    stopped_at INTEGER NOT NULL,
    stopped_by TEXT NOT NULL
) STRICT;

CREATE TRIGGER deployment_run_time AFTER UPDATE OF run_time_minutes ON updates
WHEN OLD.run_time_minutes <> NEW.run_time_minutes
    AND EXISTS (SELECT 1 FROM deployment WHERE update_no = NEW.update_no) BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    UPDATE deployment SET change = (SELECT value FROM counter WHERE name = 'change') WHERE update_no = NEW.update_no;
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

CREATE TRIGGER run_time_due_on_arrival AFTER UPDATE OF newest_revision_id ON updates
WHEN OLD.newest_revision_id IS NULL AND NEW.newest_revision_id IS NOT NULL AND NEW.run_time_set = 0 BEGIN
    INSERT INTO run_time_due (update_no) VALUES (NEW.update_no) ON CONFLICT (update_no) DO NOTHING;
END;

CREATE TABLE updates (
    update_no INTEGER PRIMARY KEY,
    update_id BLOB NOT NULL UNIQUE,
    newest_revision_id INTEGER,
    declined_at INTEGER,
    declined_by TEXT,
    eula_id TEXT,
    eula_accepted_at INTEGER,
    eula_accepted_by TEXT,
    flags_change INTEGER NOT NULL DEFAULT 0,
    declined_change INTEGER NOT NULL DEFAULT 0
, custom_severity INTEGER, run_time_minutes INTEGER NOT NULL DEFAULT 60, run_time_set INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE INDEX updates_by_declined_change ON updates (declined_change) WHERE declined_change > 0;

CREATE INDEX updates_by_eula ON updates (eula_id) WHERE eula_id IS NOT NULL;

CREATE TABLE user_account (
    user_no INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role INTEGER NOT NULL,
    collections TEXT,
    enabled INTEGER NOT NULL,
    built_in INTEGER NOT NULL,
    password TEXT,
    must_change INTEGER NOT NULL,
    issuer TEXT,
    subject TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    signed_in_at INTEGER,
    UNIQUE (issuer, subject)
) STRICT;

CREATE TABLE user_certificate (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    user_no INTEGER NOT NULL REFERENCES user_account (user_no) ON DELETE CASCADE,
    subject TEXT NOT NULL,
    ends_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX user_certificate_by_user ON user_certificate (user_no);

