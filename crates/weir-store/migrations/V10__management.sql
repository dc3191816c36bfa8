-- What management adds to rows that were there before. run_time_set: an administrator chose the maximum run time; else it
-- is the default that held when the update arrived.
ALTER TABLE updates ADD COLUMN custom_severity INTEGER;
ALTER TABLE updates ADD COLUMN run_time_minutes INTEGER NOT NULL DEFAULT 60;
ALTER TABLE updates ADD COLUMN run_time_set INTEGER NOT NULL DEFAULT 0;

-- IANA zone of a computer's local time; none takes that of its collections, then the site's.
ALTER TABLE computer ADD COLUMN time_zone TEXT;

-- A deployment of an update group is one row with group_id and one row per member with expanded_from, which is what
-- computers are offered. source_id: the rule or the phased deployment that made it. local_time: available_at and
-- deadline_at are wall-clock times as if in UTC, to be read in each computer's zone. settings: JSON of the settings that
-- only an agent of ours can honour.
ALTER TABLE deployment ADD COLUMN expanded_from INTEGER REFERENCES deployment (deployment_id);
ALTER TABLE deployment ADD COLUMN name TEXT;
ALTER TABLE deployment ADD COLUMN description TEXT;
ALTER TABLE deployment ADD COLUMN source_id BLOB;
ALTER TABLE deployment ADD COLUMN local_time INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN outside_windows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN hold_until_window INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deployment ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
