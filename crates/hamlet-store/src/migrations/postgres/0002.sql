-- Records in the order of their answers: the oldest are at the front.
ALTER TABLE remembered ADD COLUMN seq BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE;
DROP INDEX remembered_by_time;
