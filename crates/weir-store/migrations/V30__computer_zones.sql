-- Few computers have a zone of their own. Whether some have is looked up by every page about a deployment at a site with maintenance
-- windows, which read all computers for it.
CREATE INDEX computer_by_time_zone ON computer (computer_no) WHERE time_zone IS NOT NULL;
