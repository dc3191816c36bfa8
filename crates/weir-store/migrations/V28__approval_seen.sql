-- What the requester of an act that waits was shown: it is done only while that is still so. seen: the things that it is about, by
-- id, with what they were, as JSON; reached: numbers of the computers that it reaches, ascending, packed. None of requests of
-- earlier versions, which are refused.
ALTER TABLE approval ADD COLUMN seen TEXT;
ALTER TABLE approval ADD COLUMN reached BLOB;
ALTER TABLE approval ADD COLUMN reached_len INTEGER;
