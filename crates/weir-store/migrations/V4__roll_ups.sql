-- Reporting roll-ups: what servers below report, and what this server told the one above.

-- One row. upstream_id is who was told last; while there is none, nothing is noted for telling.
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
INSERT INTO rollup_state (one) VALUES (1);

-- What a server below reported of itself. parent_no is 1 for those that report here, else the server they report to;
-- sending_at is the last_rollup_at of increments that are on their way.
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

-- Computers of a server (1: this one) by kind of operating system. A count holds while counted_at is the server's
-- last_rollup_at; repeated is a digest of the increments that came with it.
CREATE TABLE rollup_client (
    client_no INTEGER PRIMARY KEY,
    server_no INTEGER NOT NULL,
    os TEXT NOT NULL,
    computers INTEGER NOT NULL,
    counted_at INTEGER,
    repeated BLOB,
    UNIQUE (server_no, os)
) STRICT;
CREATE TRIGGER rollup_client_goes_with_its_server AFTER DELETE ON downstream_server BEGIN
    DELETE FROM rollup_client WHERE server_no = OLD.server_no;
END;

-- Installations: all that were ever told, those not told yet, and those on their way to the server above.
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

-- When this server synchronized, and the last change that was here then.
CREATE TABLE rollup_sync (
    at INTEGER PRIMARY KEY,
    change INTEGER NOT NULL
) STRICT;

-- What is known of a computer of another server beside its row.
CREATE TABLE rollup_computer (
    computer_no INTEGER PRIMARY KEY REFERENCES computer (computer_no) ON DELETE CASCADE,
    last_inventory_at INTEGER,
    details TEXT,
    number INTEGER NOT NULL DEFAULT 0,
    effective_at INTEGER
) STRICT;

-- Computers of other servers that an administrator deleted here, and how far they had come then.
CREATE TABLE rollup_deleted (
    computer_id TEXT NOT NULL PRIMARY KEY,
    last_sync_at INTEGER,
    deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rollup_deleted_by_time ON rollup_deleted (deleted_at);

CREATE INDEX computer_by_site ON computer (site_no, computer_no);

-- What the server above is still to be told of a computer (todo: 1 its row, 2 its details, 4 its status), and the status
-- that it was told last; none means that it gets all of it. A withheld computer waits until it is heard of again.
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

CREATE TRIGGER rollup_computer_added AFTER INSERT ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 3, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark, withheld = 0;
END;
CREATE TRIGGER rollup_computer_removed AFTER DELETE ON computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL BEGIN
    UPDATE rollup_state SET marks = marks + 1;
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
-- The effective time of a rolled-up computer travels with its status.
CREATE TRIGGER rollup_effective_changed AFTER UPDATE OF effective_at, details, last_inventory_at ON rollup_computer
WHEN (SELECT upstream_id FROM rollup_state) IS NOT NULL
    AND (OLD.effective_at IS NOT NEW.effective_at OR OLD.details IS NOT NEW.details
        OR OLD.last_inventory_at IS NOT NEW.last_inventory_at) BEGIN
    UPDATE rollup_state SET marks = marks + 1;
    INSERT INTO rollup_sent (computer_no, todo, mark) SELECT NEW.computer_no, 7, marks FROM rollup_state WHERE true
    ON CONFLICT (computer_no) DO UPDATE SET todo = todo | excluded.todo, mark = excluded.mark;
END;

-- Numbers of events are given again when the newest are deleted: what was counted must not hide those.
CREATE TRIGGER rollup_event_deleted AFTER DELETE ON event
WHEN OLD.event_no >= (SELECT coalesce(max(e.event_no), 0) FROM event e) BEGIN
    UPDATE rollup_state SET event_no = min(event_no, (SELECT coalesce(max(e.event_no), 0) FROM event e));
END;

-- The directory holds the computers that scan here. Those of other servers come and go without a reload of it.
DROP TRIGGER directory_member_added;
DROP TRIGGER directory_member_removed;
DROP TRIGGER directory_computer_added;
DROP TRIGGER directory_computer_removed;
DROP TRIGGER directory_computer_registered;
CREATE TRIGGER directory_member_added AFTER INSERT ON collection_member
WHEN (SELECT c.site_no FROM computer c WHERE c.computer_no = NEW.computer_no) = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER directory_member_removed AFTER DELETE ON collection_member
WHEN (SELECT c.site_no FROM computer c WHERE c.computer_no = OLD.computer_no) = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER directory_computer_added AFTER INSERT ON computer WHEN NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER directory_computer_removed AFTER DELETE ON computer WHEN OLD.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER directory_computer_registered AFTER UPDATE OF registered_at ON computer
WHEN OLD.registered_at IS NULL AND NEW.site_no = 1 BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
CREATE TRIGGER directory_computer_moved AFTER UPDATE OF site_no ON computer WHEN OLD.site_no <> NEW.site_no BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'directory';
END;
-- A computer that scans here is this server's again.
CREATE TRIGGER rollup_computer_came_here AFTER UPDATE OF site_no ON computer
WHEN OLD.site_no <> 1 AND NEW.site_no = 1 BEGIN
    DELETE FROM rollup_computer WHERE computer_no = NEW.computer_no;
END;
