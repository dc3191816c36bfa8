-- What happened at this site, for administrators to read. code is the number of its meaning, parameters the JSON object of
-- what stands in the text, about_kind and about what it is about.
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

-- What administrators do about an alert. muted_until: nobody is told before; closed_by: none if it closed by itself.
ALTER TABLE alert ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE alert ADD COLUMN acknowledged_by TEXT;
ALTER TABLE alert ADD COLUMN muted_until INTEGER;
ALTER TABLE alert ADD COLUMN muted_by TEXT;
ALTER TABLE alert ADD COLUMN note TEXT;
ALTER TABLE alert ADD COLUMN closed_by TEXT;
CREATE INDEX alert_by_closing ON alert (closed_at, alert_no);
CREATE INDEX alert_by_subject ON alert (kind, subject, alert_no);

-- The life of an alert. what: 0 opened, 1 got worse or better, 2 acknowledged, 3 muted, 4 unmuted, 5 closed.
CREATE TABLE alert_event (
    event_no INTEGER PRIMARY KEY AUTOINCREMENT,
    alert_no INTEGER NOT NULL REFERENCES alert (alert_no) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    what INTEGER NOT NULL,
    actor TEXT NOT NULL,
    note TEXT
) STRICT;
CREATE INDEX alert_event_of ON alert_event (alert_no, event_no);

-- Who is told of alerts. kinds: prefixes by line, none is all; channel: 0 e-mail, 1 webhook; addresses by line. secret and
-- secret_before sign webhooks, the latter until secret_until. since: alerts that opened before are not told.
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

-- What a subscription was told.
CREATE TABLE alert_told (
    subscription_id BLOB NOT NULL REFERENCES subscription (subscription_id) ON DELETE CASCADE,
    alert_no INTEGER NOT NULL REFERENCES alert (alert_no) ON DELETE CASCADE,
    told_at INTEGER NOT NULL,
    closed_told INTEGER NOT NULL,
    PRIMARY KEY (subscription_id, alert_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_told_of ON alert_told (alert_no);

-- Messages on their way. state: 0 waiting, 1 delivered, 2 given up, 3 dropped. payload: the JSON that a webhook is sent and
-- that an e-mail is written from.
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
