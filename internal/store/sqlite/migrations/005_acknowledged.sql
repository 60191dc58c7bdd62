-- How many transactions have written anything. A file beside the database says how many of them were acknowledged.
ALTER TABLE probe ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
-- What is written to see whether there is room for a usual commit.
ALTER TABLE probe ADD COLUMN room BLOB;
