-- Criteria are decisions that travel, as those that V6 follows.
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
CREATE TRIGGER intent_criterion_delete AFTER DELETE ON criterion BEGIN
    UPDATE counter SET value = value + 1 WHERE name = 'change';
    INSERT INTO intent_object (kind, id, change, deleted)
    VALUES (2, lower(hex(OLD.criterion_id)), (SELECT value FROM counter WHERE name = 'change'), 1)
    ON CONFLICT (kind, id) DO UPDATE SET change = excluded.change, deleted = excluded.deleted,
        origin = CASE WHEN intent_object.deleted = 1 THEN 0 ELSE intent_object.origin END;
END;
INSERT INTO intent_object (kind, id, change, deleted) SELECT 2, lower(hex(criterion_id)), change, 0 FROM criterion;
